"""Morphine milligram equivalents per day of what is active, by the factors of ``factors``."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.careplans.domain.safety.dosing import Dose
from services.careplans.domain.safety.factors import NOT_COUNTED, PER_MCG_PER_HOUR, PER_MG
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.products import Form
from services.careplans.domain.safety.quantities import plain

BY_MOUTH = frozenset({Form.COUNTED, Form.LIQUID, Form.UNKNOWN})
"""Forms that the factors per mg hold for; a form that is not stated is taken to be one."""


@dataclass(frozen=True, slots=True)
class Equivalents:
    """MME per day. With gaps the total is a lower bound; ``at_most``: what is as needed is counted in full."""

    total: Decimal
    at_most: bool
    gaps: tuple[Gap, ...]

    def __str__(self) -> str:
        least = "at least " if self.gaps else ""
        most = ", as needed counted in full" if self.at_most else ""
        return f"{least}{plain(self.total)} MME/day{most}"


def equivalents(medications: Iterable[Medication]) -> Equivalents:
    """The sum over active medications. Each is counted: merge what tells of one prescription before."""
    total, at_most, gaps = Decimal(0), False, set[Gap]()
    for medication in medications:
        for dose in medication.doses if medication.activity.active else ():
            if DrugClass.OPIOID not in dose.ingredient.classes or dose.ingredient.name in NOT_COUNTED:
                continue
            found = _of(dose, medication)
            if found is None:
                gaps |= set(dose.gaps) or {_no_factor(dose, medication)}
            else:
                total, at_most = total + found, at_most or dose.at_most
    return Equivalents(total, at_most, tuple(sorted(gaps)))


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
