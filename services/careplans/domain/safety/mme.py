"""Morphine milligram equivalents per day of what is active, by the factors of ``factors``."""

from decimal import Decimal

from services.careplans.domain.safety.dosing import Dose
from services.careplans.domain.safety.factors import NOT_COUNTED, PER_MCG_PER_HOUR, PER_MG
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.merging import MedicationList
from services.careplans.domain.safety.products import Form
from services.careplans.domain.safety.totals import Total, total

UNIT = "MME/day"
BY_MOUTH = frozenset({Form.COUNTED, Form.LIQUID, Form.UNKNOWN})
"""Forms that the factors per mg hold for; a form that is not stated is taken to be one."""


def equivalents(medications: MedicationList) -> Total:
    """The sum over the merged list. Buprenorphine is not counted."""
    return total(medications, UNIT, _figure)


def _figure(dose: Dose, medication: Medication) -> Decimal | Gap | None:
    if DrugClass.OPIOID not in dose.ingredient.classes or dose.ingredient.name in NOT_COUNTED:
        return None
    if not dose.known:
        return dose.gaps[0]
    found = _of(dose, medication)
    return _no_factor(dose, medication) if found is None else found


def _of(dose: Dose, medication: Medication) -> Decimal | None:
    name = dose.ingredient.name
    if dose.mcg_per_hour is not None:
        return dose.mcg_per_hour * PER_MCG_PER_HOUR[name] if name in PER_MCG_PER_HOUR else None
    if dose.mg_per_day is None or name not in PER_MG or medication.product.form not in BY_MOUTH:
        return None
    return dose.mg_per_day * PER_MG[name]


def _no_factor(dose: Dose, medication: Medication) -> Gap:
    reason = f"CDC 2022 has no factor for {dose.ingredient.name} in this form"
    return Gap(medication.reference, f"{medication.resource.get('resourceType')}.medication[x]", reason)
