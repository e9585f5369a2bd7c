"""What plans may be asked for, as types: any other value is refused by its parameter's name."""

from datetime import date
from typing import Annotated, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime

ID = r"[A-Za-z0-9\-.]{1,64}"
"""http://hl7.org/fhir/R4/datatypes.html#id"""
PatientReference = Annotated[
    str, Query(pattern=f"^(Patient/)?{ID}$", description="CarePlan.subject: `Patient/[id]`, or the id alone.")
]
PlanId = Annotated[str, Path(pattern=f"^{ID}$")]
Asked = TypeVar("Asked", bound=date)
EARLIEST, LATEST = 1900, 2199
"""Years between which people ask: nothing of a plan is outside, and sums of dates stay within what can be told."""


def _in_reach(asked: Asked) -> Asked:
    if not EARLIEST <= asked.year <= LATEST:
        raise ValueError(f"a day between {EARLIEST} and {LATEST} is expected")
    return asked


Day = Annotated[date, AfterValidator(_in_reach)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_reach)]
