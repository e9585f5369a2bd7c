"""What plans may be asked for, as types: any other value is refused by its parameter's name."""

from typing import Annotated

from fastapi import Path, Query

ID = r"[A-Za-z0-9\-.]{1,64}"
"""http://hl7.org/fhir/R4/datatypes.html#id"""
PatientReference = Annotated[
    str, Query(pattern=f"^(Patient/)?{ID}$", description="CarePlan.subject: `Patient/[id]`, or the id alone.")
]
PlanId = Annotated[str, Path(pattern=f"^{ID}$")]
