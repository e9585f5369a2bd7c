"""What rows of the table are made of: the row, its sources, and what is on record."""

from typing import Any, NamedTuple

from services.careplans.domain.applying.classes import ICD10CM
from services.careplans.domain.safety.reading import LOINC
from tests.unit.services.careplans.domain.safety.prescriptions import BID, TID, Body, prescribed, reference

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
NOTHING = "nothing"
FOUND, POSSIBLE, UNKNOWN, SILENCED = "found", "possible", "unknown", "silenced"

CDC = "CDC 2022"
CDC_TABLE = "CDC 2022, table of conversion factors"
CDC_8 = "CDC 2022, recommendation 8"
CDC_11 = "CDC 2022, recommendation 11"
CDC_SCOPE = "CDC 2022, scope: outpatients of 18 years and more; not sickle cell disease, cancer, palliative care"
FDA_2016 = "FDA 2016-08-31, boxed warning"
FDA_2019 = "FDA 2019-12-19"
FDA_SEROTONIN = "FDA 2016-03-22 and labelling"
FDA_NSAID = "FDA labelling of NSAIDs"
FDA_ACETAMINOPHEN = "FDA labelling of acetaminophen"
FDA_2020 = "FDA 2020-09-23"
KDIGO = "KDIGO 2024"
BEERS = "AGS Beers 2023"
PROJECT = "rule of the project"


class Case(NamedTuple):
    """One row. ``says`` is part of the detail, a missing item or the reason for silence."""

    what: str
    rule: str
    resources: list[Body]
    expected: str
    source: str
    says: str = ""
    severity: str = ""
    patient: Body | None = None


def patient(born: str | None = "1980-05-05") -> Body:
    """The patient."""
    return {"resourceType": "Patient", "id": "p"} | ({"birthDate": born} if born else {})


def condition(
    code: str | None = None, text: str | None = None, *, id: str = "c", status: str = "active", **more: Any
) -> Body:
    """A Condition by its ICD-10-CM code or its name."""
    coding = {"coding": [{"system": ICD10CM, "code": code}]} if code else {}
    return {
        "resourceType": "Condition",
        "id": id,
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]},
        "code": coding | ({"text": text} if text else {}),
    } | more


def egfr(value: Any, unit: str = "mL/min/{1.73_m2}", day: str = "2026-02-01", **more: Any) -> Body:
    """An eGFR by CKD-EPI."""
    return {
        "resourceType": "Observation",
        "id": more.pop("id", "e"),
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "62238-1"}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"} | more,
    }


def procedure(text: str, day: str, status: str = "completed") -> Body:
    """A Procedure by its name."""
    return {
        "resourceType": "Procedure",
        "id": "x",
        "status": status,
        "code": {"text": text},
        "performedDateTime": day,
    }


def by(who: str) -> Body:
    """A requester."""
    return {"requester": reference(f"Practitioner/{who}")}


def since(day: str) -> Body:
    """When it was written."""
    return {"authoredOn": day}


OXY10 = "oxycodone 10 mg tablet"
OXY5 = "oxycodone 5 mg tablet"
MS15 = "morphine 15 mg tablet"
FENTANYL25 = "fentanyl 25 mcg/h patch"
PERCOCET = "oxycodone-acetaminophen 5-325 mg tablet"
APAP500 = "acetaminophen 500 mg tablet"
IBUPROFEN = "ibuprofen 600 mg tablet"
NALOXONE = "naloxone 4 mg nasal spray"
LORAZEPAM = "lorazepam 1 mg tablet"
RANGE = [prescribed(MS15, TID, id="1", **by("a")), prescribed(MS15, TID, id="2", **by("b"))]
OPIOID = prescribed(OXY5, BID)
