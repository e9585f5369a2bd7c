"""What the sources of the catalogue may say. Anything else is an error at reading."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.careplans.domain.applying.condition_classes import CONDITION_CLASSES
from services.careplans.domain.applying.medicine_classes import MEDICINE_CLASSES

Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Text = Annotated[str, Field(min_length=1)]

CONDITIONS = {class_.code: class_.variable for class_ in CONDITION_CLASSES}
MEDICINES = {class_.code: class_.variable for class_ in MEDICINE_CLASSES}


class Strict(BaseModel):
    """No unknown keys, no silent conversion, no change afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Source(Strict):
    citation: Text
    url: str | None = None


class Signs(Strict):
    """How something is recognised in a record: any of these is enough."""

    conditions: list[Id] = []
    medicines: list[Id] = []
    from_age: int | None = None
    below_age: int | None = None

    @model_validator(mode="after")
    def _known(self) -> "Signs":
        unknown = {*self.conditions} - CONDITIONS.keys() | {*self.medicines} - MEDICINES.keys()
        if unknown:
            raise ValueError(f"no such class: {', '.join(sorted(unknown))}")
        return self

    def expression(self) -> str | None:
        """The signs as FHIRPath; None where there is none."""
        parts = [f"%{CONDITIONS[code]}" for code in self.conditions]
        parts += [f"%{MEDICINES[code]}" for code in self.medicines]
        parts += [f"%age >= {self.from_age}"] if self.from_age is not None else []
        parts += [f"%age < {self.below_age}"] if self.below_age is not None else []
        return " or ".join(parts) or None


class Hazard(Signs):
    """A contraindication or caution. Without signs people have to ask."""

    text: Text
    together_with: Signs | None = None
    """Both this and that."""

    def expression(self) -> str | None:
        own = super().expression()
        other = self.together_with.expression() if self.together_with else None
        return f"({own}) and ({other})" if own and other else own


class Code(Strict):
    """A code that was verified in a public value set."""

    system: Literal["snomed"]
    code: Annotated[str, Field(pattern=r"^\d{6,18}$")]
    display: Text


class Treatment(Strict):
    id: Id
    title: Text
    description: Text
    discipline: Literal["pain-medicine", "mental-health", "physical-therapy", "complementary", "self-management"]
    kind: Literal["ServiceRequest", "MedicationRequest"]
    formats: list[Literal["individual", "group", "telehealth", "self-guided"]] = []
    dose: Text
    """The usual dose: how much, how often, how long. Never one for a particular patient."""
    helps: Annotated[list[Text], Field(min_length=1)]
    cautions: list[Hazard] = []
    contraindications: list[Hazard] = []
    codes: list[Code] = []
    ingredients: list[str] = []
    always: bool = False
    """Offered whatever was declined before: what keeps somebody safe is asked anew each time."""
    sources: Annotated[list[Id], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> "Treatment":
        if (self.kind == "MedicationRequest") != bool(self.ingredients):
            raise ValueError("medication classes have ingredients, others have none")
        if (self.kind == "ServiceRequest") != bool(self.formats):
            raise ValueError("a service says how it is given, a medication does not")
        return self


class Group(Strict):
    group: Id
    title: Text
    treatments: Annotated[list[Treatment], Field(min_length=1)]


class When(Strict):
    text: Text
    expression: Text


class Dynamic(Strict):
    path: Text
    expression: Text


class Goal(Strict):
    id: Id
    text: Text
    measure: str | None = None
    """The variable of a measure."""
    target: str | None = None
    weeks: int | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Goal":
        if len({self.measure is None, self.target is None, self.weeks is None}) > 1:
            raise ValueError("a target has a measure, a text and a time, or there is none")
        return self


class Action(Strict):
    id: Id
    title: str | None = None
    """Without one, the treatment's."""
    why: Text
    why_not: str | None = None
    treatment: Id | None = None
    choose: Literal["one", "some"] | None = None
    priority: Literal["routine", "urgent", "asap", "stat"] | None = None
    when: list[When] = []
    dynamic: list[Dynamic] = []
    goals: list[Id] = []
    before: list[Id] = []
    sources: list[Id] = []
    actions: list["Action"] = []

    @model_validator(mode="after")
    def _whole(self) -> "Action":
        if bool(self.actions) == bool(self.treatment) or bool(self.actions) != bool(self.choose):
            raise ValueError("an action names a treatment, or it says how to choose among its parts")
        if self.when and not self.why_not:
            raise ValueError("an action with a condition says why not")
        if self.title is None and self.treatment is None:
            raise ValueError("an action without a treatment has a title")
        return self


class Plan(Strict):
    id: Id
    title: Text
    synonyms: list[Text] = []
    description: Text
    sources: Annotated[list[Id], Field(min_length=1)]
    goals: list[Goal] = []
    actions: Annotated[list[Action], Field(min_length=1)]


class Catalogue(Strict):
    """All of it."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    reviewed: date
    status: Literal["draft", "active"]
    """``draft`` until a clinician has signed it off."""
    sources: dict[Id, Source]
    groups: list[Group]
    plans: list[Plan]

    @property
    def treatments(self) -> dict[str, tuple[Group, Treatment]]:
        """By id, in the order of the sources."""
        return {treatment.id: (group, treatment) for group in self.groups for treatment in group.treatments}

    def source(self, id_: str) -> Source:
        """A source by its id."""
        return self.sources[id_]


SNAKE = re.compile(r"[^A-Za-z0-9]+")


def name_of(text: str) -> str:
    """A title as a computable name: ``GradedExercise``."""
    return "".join(part[:1].upper() + part[1:] for part in SNAKE.split(text))
