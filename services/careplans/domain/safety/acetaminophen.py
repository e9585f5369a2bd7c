"""Acetaminophen per day from all sources, in mg: alone, and in combinations."""

from decimal import Decimal

from services.careplans.domain.safety.dosing import Dose
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.merging import MedicationList
from services.careplans.domain.safety.totals import Total, total

NAME = "acetaminophen"
UNIT = "mg/day"


def daily(medicines: MedicationList) -> Total:
    """The sum over the merged list."""
    return total(medicines, UNIT, _figure)


def _figure(dose: Dose, medication: Medication) -> Decimal | Gap | None:
    if dose.ingredient.name != NAME:
        return None
    if dose.mg_per_day is not None:
        return dose.mg_per_day
    return dose.gaps[0] if dose.gaps else Gap(medication.reference, "medication[x]", "the form is no dose by mouth")
