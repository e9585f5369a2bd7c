"""``/api/plans/{id}/minutes`` and evidence: who worked how long for a plan, and what of G3002/G3003 is there."""

from datetime import date
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.careplans.api.asking import ID, PlanId
from services.careplans.app import evidence as months
from services.careplans.app import minutes as ledger
from services.careplans.app.evidence import NOTE, Month, MonthPage, days_of
from services.careplans.app.minutes import Ledger
from services.careplans.domain.evidence import SOURCE
from services.careplans.domain.minutes import KINDS, LONGEST, Entry, Kind, Mode
from services.careplans.store.minutes import Claim
from shared.engine import Engine
from shared.idempotency import LONGEST_KEY, REPLAYED, digests
from shared.security.caller import Discipline
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/plans", tags=["minutes"])

_PERFORMER = f"^(Practitioner|PractitionerRole|Organization)/{ID}$"
MonthQuery = Annotated[
    str | None,
    Query(
        pattern="^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$",
        description="`YYYY-MM`; without it, the present month in UTC.",
        examples=["2026-03"],
    ),
]


class Minutes(BaseModel):
    """An entry of the ledger, or the correction of one."""

    model_config = ConfigDict(extra="forbid")

    day: date = Field(description="As the calendar of those who worked has it.")
    minutes: int = Field(ge=0, le=LONGEST, description="0 withdraws the entry that is corrected.")
    kind: Kind = Field(description=" ".join(f"`{kind.value}`: {what}." for kind, what in KINDS.items()))
    mode: Mode
    performer: str = Field(pattern=_PERFORMER)
    qualified: bool = Field(
        description="A physician or another qualified health professional did it in person: only that counts for G3002."
    )
    discipline: Discipline | None = None
    evidence: str | None = Field(default=None, pattern=rf"^[A-Z][A-Za-z]{{1,40}}/{ID}$", description="What shows it.")
    corrects: str | None = Field(default=None, pattern=f"^{ID}$", description="The entry that this takes the place of.")
    reason: str | None = Field(default=None, min_length=1, max_length=500, pattern=r"\S")

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if (self.corrects is None) is not (self.reason is None):
            raise ValueError("A correction names the entry and the reason; what is no correction has neither.")
        return self


EXAMPLES: dict[str, Any] = {
    "a visit": {
        "value": {
            "day": "2026-03-02",
            "minutes": 40,
            "kind": "visit",
            "mode": "in-person",
            "performer": "Practitioner/pain-1",
            "qualified": True,
            "discipline": "pain-medicine",
        }
    },
    "a correction": {
        "value": {
            "day": "2026-03-02",
            "minutes": 30,
            "kind": "visit",
            "mode": "in-person",
            "performer": "Practitioner/pain-1",
            "qualified": True,
            "corrects": "019c1b7e-0000-7000-8000-000000000001",
            "reason": "The visit began ten minutes late.",
        }
    },
}
_REPLAYED: dict[int | str, dict[str, Any]] = {
    201: {
        "headers": {
            REPLAYED: {
                "description": "`true`: it was recorded before, under the same Idempotency-Key.",
                "schema": {"type": "string"},
            }
        }
    }
}


_MONTH: dict[str, Any] = {
    "care_plan": "CarePlan/019c",
    "patient": "Patient/robin",
    "month": "2026-03",
    "minutes": 60,
    "qualified_minutes": 50,
    "g3002": False,
    "g3003_units": 0,
    "minutes_to_next": 10,
    "missing": ["education"],
    "elements": [
        {
            "element": "validated-scale",
            "says": "a validated pain rating scale or tool",
            "needed": True,
            "state": "there",
            "shown_by": ["Observation/019d"],
            "lacks": None,
        },
        {
            "element": "education",
            "says": "pain and health literacy counselling",
            "needed": True,
            "state": "missing",
            "shown_by": [],
            "lacks": "No minutes of education in the month.",
        },
    ],
    "source": SOURCE,
    "note": NOTE,
}


def _example(value: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"examples": {"a month": {"value": value}}}}}}


async def _claim(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="A key of your own making: the same request under the same key is recorded once. "
            f"Up to {LONGEST_KEY} visible ASCII characters.",
            examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
        ),
    ] = None,
) -> Claim | None:
    return None if idempotency_key is None else Claim(*await digests(request, idempotency_key))


Once = Annotated[Claim | None, Depends(_claim)]


@router.post("/{plan_id}/minutes", status_code=201, responses=_REPLAYED)
async def record(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    response: Response,
    claim: Once,
    body: Annotated[Minutes, Body(openapi_examples=EXAMPLES)],
) -> Entry:
    """Record minutes. An entry is never changed: a correction names it, with a reason, and both stay. Coordinators
    record anybody's minutes, clinicians their own."""
    engine = _engine(request)
    entry = Entry(
        id=engine.ids(),
        care_plan=plan_id,
        recorded_by=caller.fhir_user or caller.subject,
        recorded_at=engine.clock(),
        **body.model_dump(exclude={"discipline"}),
        discipline=body.discipline.value if body.discipline else None,
    )
    recorded, replayed = await ledger.record(engine, caller, entry, claim)
    if replayed:
        response.headers[REPLAYED] = "true"
    return recorded


@router.get("/{plan_id}/minutes")
async def ledger_of(request: Request, caller: CurrentCaller, plan_id: PlanId, month: MonthQuery = None) -> Ledger:
    """The entries of a month, corrected ones too, and the minutes that count."""
    engine = _engine(request)
    return await ledger.ledger_of(engine, caller, plan_id, *days_of(month or f"{engine.clock():%Y-%m}"))


@router.get("/{plan_id}/evidence", responses=_example(_MONTH))
async def evidence(request: Request, caller: CurrentCaller, plan_id: PlanId, month: MonthQuery = None) -> Month:
    """What HCPCS G3002 and G3003 ask for in a month, what there is of it, and what is missing. The plan counts
    as it is now; it is no claim."""
    engine = _engine(request)
    return await months.evidence_of(engine, caller, plan_id, month or f"{engine.clock():%Y-%m}")


of_all = APIRouter(prefix="/plans/evidence", tags=["minutes"])


@of_all.get("", responses=_example({"months": [_MONTH], "cursor": None}))
async def evidence_of_all(
    request: Request,
    caller: CurrentCaller,
    month: MonthQuery = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> MonthPage:
    """The month of all shared plans that have not ended, or have minutes in it; the plans as they are now. Send
    ``cursor`` of a page to get the next one."""
    engine = _engine(request)
    asked = month or f"{engine.clock():%Y-%m}"
    return await months.evidence_of_all(engine, caller, asked, limit=limit, cursor=cursor)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
