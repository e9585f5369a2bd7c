"""Patients worked through by hand: their records as R4 resources, and what was expected of every action."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import yaml

from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.classes import ICD10CM, RXNORM, SNOMED
from services.careplans.domain.applying.inputs import Record
from services.careplans.domain.measures.measure import LOINC
from shared.fhir.json import Resource

ORDER = ("opioids-and-measures", "personality-disorder", "next-to-no-data")
_HERE = Path(__file__).parent
_SYSTEMS = {
    "SNOMED": SNOMED,
    "ICD10CM": ICD10CM,
    "LOINC": LOINC,
    "PMS": "http://cds.ahrq.gov/cdsconnect/pms",
}
_SUBJECT = {"reference": "Patient/patient"}


@dataclass(frozen=True, slots=True)
class Row:
    """What was expected of some actions of one plan before the code was run."""

    actions: tuple[str, ...]
    outcome: str
    why: str
    says: tuple[str, ...] = ()
    """What the reason of each of the actions without a whole of its own must say."""
    decided: str = ""
    """What became of a difference between hand and code."""


@dataclass(frozen=True, slots=True)
class Again:
    """What was expected of one action on another day."""

    day: datetime
    plan: str
    action: str
    outcome: str
    why: str
    says: str


@dataclass(frozen=True, slots=True)
class Worked:
    """One patient."""

    title: str
    about: str
    as_of: datetime
    record: Record
    circumstances: Circumstances
    expected: dict[str, tuple[Row, ...]]
    """Plan -> rows."""
    notes: tuple[str, ...]
    """Sentences that the proposal has to add."""
    again: tuple[Again, ...] = ()


def worked() -> tuple[Worked, ...]:
    """The three, in the order of the page."""
    return tuple(_read(yaml.safe_load((_HERE / f"{name}.yaml").read_text(encoding="utf-8"))) for name in ORDER)


def _read(source: dict[str, Any]) -> Worked:
    return Worked(
        title=source["title"],
        about=source["about"],
        as_of=_noon(source["as_of"]),
        record=_record(source),
        circumstances=Circumstances(waits=source.get("waits", {})),
        expected={plan: tuple(map(_row, rows)) for plan, rows in source["expected"].items()},
        notes=tuple(source.get("notes", ())),
        again=tuple(Again(**(each | {"day": _noon(each["day"])})) for each in source.get("again", ())),
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _row(row: dict[str, Any]) -> Row:
    says = tuple(row.get("says", ()))
    return Row(tuple(row["actions"]), row["outcome"], row["why"], says, row.get("decided", ""))


def _record(source: dict[str, Any]) -> Record:
    patient: Resource = {"resourceType": "Patient", "id": "patient", "gender": source["gender"]}
    if source["born"]:
        patient["birthDate"] = source["born"]
    return {
        "Patient": [patient],
        "Condition": [_condition(each, number) for number, each in enumerate(source["conditions"], 1)],
        "Observation": [_observation(each, number) for number, each in enumerate(source["scores"], 1)],
        "MedicationRequest": [_order(each, number) for number, each in enumerate(source["medicines"], 1)],
    }


def _condition(given: dict[str, Any], number: int) -> Resource:
    condition: Resource = {
        "resourceType": "Condition",
        "id": f"condition-{number}",
        "verificationStatus": _status("condition-ver-status", "confirmed"),
        "code": _concept(given["code"], _SYSTEMS[given["system"]], given["name"]),
        "subject": _SUBJECT,
    }
    if clinical := given.get("clinical", "active"):
        condition["clinicalStatus"] = _status("condition-clinical", clinical)
    if "since" in given:
        condition["onsetDateTime"] = given["since"]
    return condition


def _observation(given: dict[str, Any], number: int) -> Resource:
    observation: Resource = {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "status": "final",
        "code": _concept(given["code"], _SYSTEMS[given["system"]], given["name"]),
        "subject": _SUBJECT,
        "issued": given["at"],
    }
    if "answer" in given:
        observation["valueCodeableConcept"] = {"coding": [{"system": LOINC, **given["answer"]}]}
    else:
        observation["valueQuantity"] = {"value": given["value"]}
    return observation


def _order(given: dict[str, Any], number: int) -> Resource:
    order: Resource = {
        "resourceType": "MedicationRequest",
        "id": f"medicine-{number}",
        "status": given.get("status", "active"),
        "intent": "order",
        "medicationCodeableConcept": _concept(given["code"], RXNORM, given["name"]),
        "subject": _SUBJECT,
    }
    if "at" in given:
        order["authoredOn"] = given["at"]
    return order


def _concept(code: str, system: str, name: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": name}], "text": name}


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}
