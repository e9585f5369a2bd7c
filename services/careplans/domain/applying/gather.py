"""All variables of one patient at one moment."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.classes import reference_to
from services.careplans.domain.applying.conditions import diagnosed
from services.careplans.domain.applying.inputs import Input, Inputs, Record
from services.careplans.domain.applying.medicines import taken
from services.careplans.domain.applying.moments import age
from services.careplans.domain.applying.observations import observed
from shared.errors import Unprocessable
from shared.fhir.json import Resource

RAW = {
    "conditions": "Condition",
    "observations": "Observation",
    "medicationRequests": "MedicationRequest",
    "medicationStatements": "MedicationStatement",
    "goals": "Goal",
    "procedures": "Procedure",
    "allergies": "AllergyIntolerance",
    "questionnaireResponses": "QuestionnaireResponse",
}
"""Variables that hold resources as they are, for expressions that need more than the rest. ``%patient`` is one, too."""

RECORD = frozenset({"Patient", *RAW.values()})
"""The types of a record."""


def gather(record: Record, as_of: datetime, circumstances: Circumstances) -> Inputs:
    """The inputs of a patient. Raises ``Unprocessable`` unless the record holds exactly one Patient."""
    patient = patient_of(record)
    inputs: Iterable[Input] = (
        _age(patient, as_of),
        *observed(record.get("Observation", ()), as_of),
        *diagnosed(record.get("Condition")),
        *taken(record),
        *circumstances.inputs(),
    )
    raw: dict[str, Any] = {name: list(record.get(type_, ())) for name, type_ in RAW.items()}
    return Inputs({entry.name: entry for entry in inputs}, raw | {"patient": patient}, as_of)


def patient_of(record: Record) -> Resource:
    """The Patient of the record. Raises ``Unprocessable`` where there is none, or more than one."""
    patients = record.get("Patient", ())
    if len(patients) != 1:
        raise Unprocessable("The record must be that of one patient.", expression=("subject",))
    if not isinstance(patients[0].get("id"), str):
        raise Unprocessable("The patient must have an id.", expression=("Patient.id",))
    return patients[0]


def _age(patient: Resource, as_of: datetime) -> Input:
    years = age(patient.get("birthDate"), as_of.date())
    note = "" if years is not None else "needs the birth date"
    return Input("age", "Age", years, reference_to(patient), note=note)
