"""What may be asked of the directory, as types."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from services.referrals.api.asking import ID, OWNER
from services.referrals.app.subject import Question
from services.referrals.domain.distance import Place
from services.referrals.domain.needs import Requirement, Stated
from services.referrals.domain.offering import Modality
from services.referrals.domain.similar import RECENT_DAYS
from services.referrals.domain.specialty import OF_DISCIPLINE, Specialty
from shared.errors import Unprocessable
from shared.security.caller import Discipline

LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,3}$"
"""A tag of BCP 47, as far as languages are told apart here."""
Language = Annotated[str, Field(pattern=LANGUAGE)]
LanguageQuery = Annotated[str | None, Query(pattern=LANGUAGE, description="BCP 47; its region makes no difference.")]


class Coordinates(BaseModel):
    """A point in WGS 84, in degrees."""

    model_config = ConfigDict(extra="forbid")

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class ReasonCode(BaseModel):
    """A code of why somebody is referred."""

    model_config = ConfigDict(extra="forbid")

    system: str = Field(min_length=1, max_length=500)
    code: str = Field(min_length=1, max_length=100)


class Need(BaseModel):
    """A referral (`referral`, the id of its Task), an order (`service_request`), or what is needed in words of this
    request. What is said here goes before what the resources say."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"referral": "0198c7d2"},
                {"service_request": "o1", "languages": ["es"], "must": ["language"], "max_distance_km": 25},
                {"specialties": ["psychology"], "patient": "Patient/robin", "modalities": ["telehealth"], "age": 44},
            ]
        },
    )

    referral: str | None = Field(default=None, pattern=f"^{ID}$", description="The id of a Task.")
    service_request: str | None = Field(default=None, pattern=f"^{ID}$", description="The id of an order.")
    patient: str | None = Field(default=None, pattern=f"^Patient/{ID}$")
    part_of: str | None = Field(default=None, pattern=f"^{ID}$", description="The id of the Task that is passed on.")
    owner: str | None = Field(default=None, pattern=OWNER, description="To whom it will go, for the warnings.")
    specialties: list[Specialty] = Field(default=[], max_length=len(Specialty))
    discipline: Discipline | None = Field(default=None, description="Stands for all of its specialties.")
    languages: list[Language] = Field(default=[], max_length=10)
    modalities: list[Modality] = Field(default=[], max_length=len(Modality))
    near: Coordinates | None = None
    max_distance_km: float | None = Field(default=None, ge=0, le=20_000)
    age: int | None = Field(default=None, ge=0, le=150)
    payer: str | None = Field(default=None, pattern=f"^Organization/{ID}$")
    reasons: list[ReasonCode] = Field(default=[], max_length=20)
    priority: Literal["routine", "urgent", "asap", "stat"] | None = None
    must: list[Requirement] = Field(default=[], max_length=len(Requirement), description="Wishes that are conditions.")
    within_days: int = Field(default=RECENT_DAYS, ge=0, le=3650, description="How long ago a duplicate was sent.")

    def question(self) -> Question:
        """As the use case takes it. Raises ``Unprocessable`` for more than one subject."""
        if sum(each is not None for each in (self.referral, self.service_request, self.patient)) > 1:
            raise Unprocessable(
                "A referral has its order and an order its patient: name only one of them.",
                expression=("body.referral", "body.service_request", "body.patient"),
            )
        of_discipline = OF_DISCIPLINE[self.discipline] if self.discipline else frozenset[Specialty]()
        stated = Stated(
            specialties=frozenset(self.specialties) or of_discipline,
            languages=tuple(self.languages),
            modalities=frozenset(self.modalities),
            place=Place(self.near.latitude, self.near.longitude) if self.near else None,
            max_distance_km=self.max_distance_km,
            age=self.age,
            payer=self.payer,
            reasons=frozenset((each.system, each.code) for each in self.reasons),
            priority=self.priority,
            required=frozenset(self.must),
        )
        return Question(
            self.referral, self.service_request, self.patient, self.part_of, self.owner, stated, self.within_days
        )
