"""The rules about how medicines are used: by two prescribers, too much of one, too long without a review."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from services.careplans.domain.safety import sources
from services.careplans.domain.safety.facts import Facts
from services.careplans.domain.safety.finding import Input, Outcome, Rule, Severity, Verdict
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.long_use import lasting
from services.careplans.domain.safety.merging import Entry
from services.careplans.domain.safety.opioid_rules import TAPER
from services.careplans.domain.safety.saying import lacking, names, summed, taken

MOST_ACETAMINOPHEN = Decimal(4000)
"""mg a day."""
NO_DUPLICATES = frozenset(
    {DrugClass.OPIOID_ANTAGONIST, DrugClass.ANALGESIC, DrugClass.ANTICONVULSANT, DrugClass.ANTIPLATELET}
)


def _duplicates(facts: Facts) -> Iterator[Verdict]:
    for drug_class in DrugClass:
        entries = () if drug_class in NO_DUPLICATES else facts.medicines.of(drug_class)
        orders = tuple(each for each in entries if each.lead.is_request)
        if len(orders) < 2:
            continue
        by_prescriber: dict[str, list[Entry]] = defaultdict(list)
        for each in orders:
            for prescriber in each.prescribers:
                by_prescriber[prescriber].append(each)
        unnamed = tuple(f"{each.lead.reference}: the prescriber" for each in orders if not each.prescribers)
        inputs = (*taken(drug_class, orders), *(Input("prescriber", each) for each in sorted(by_prescriber)))
        substance = (drug_class, *names(orders))
        if any(_apart(one, other) for one, other in combinations(by_prescriber.values(), 2)):
            detail = f"{len(by_prescriber)} prescribers of {drug_class}: {', '.join(names(orders))}."
            yield Verdict(Outcome.FOUND, detail, inputs, unnamed, substance, about=drug_class)
        elif unnamed:
            detail = f"{len(orders)} prescriptions of {drug_class}; who prescribed is not always said."
            yield Verdict(Outcome.UNKNOWN, detail, inputs, unnamed, substance, about=drug_class)


def _apart(one: list[Entry], other: list[Entry]) -> bool:
    """Whether there is a prescription of each that is not one and the same."""
    return any(first.lead.reference != second.lead.reference for first in one for second in other)


def _acetaminophen(facts: Facts) -> Iterator[Verdict]:
    total = facts.acetaminophen
    if not total.shares and total.known:
        return
    substance = names(each.entry for each in total.shares)
    inputs, missing = summed(total), lacking(total)
    if total.low > MOST_ACETAMINOPHEN:
        yield Verdict(Outcome.FOUND, f"{total}.", inputs, missing, substance)
    elif total.high is None:
        yield Verdict(Outcome.UNKNOWN, f"Whether it is more than 4 g: {total}.", inputs, missing, substance)
    elif total.high > MOST_ACETAMINOPHEN:
        yield Verdict(Outcome.POSSIBLE, f"{total}, as not all is decided.", inputs, missing, substance)


def _long_benzodiazepine(facts: Facts) -> Iterator[Verdict]:
    return lasting(DrugClass.BENZODIAZEPINE, facts)


USE_RULES: tuple[Rule, ...] = (
    Rule(
        "duplicate-class",
        "1",
        "One class of medicines from two prescribers",
        Severity.MODERATE,
        sources.DUPLICATES,
        "Two active prescriptions of one class come from different prescribers.",
        "Agree on one prescriber; review whether both are needed.",
        _duplicates,
    ),
    Rule(
        "acetaminophen-4g",
        "1",
        "Acetaminophen of more than 4 g a day from all sources",
        Severity.HIGH,
        sources.ACETAMINOPHEN,
        "All sources together, combination products among them, are more than 4000 mg a day; as needed counts in full.",
        "Lower the dose; name all products that contain it to the patient.",
        _acetaminophen,
    ),
    Rule(
        "benzodiazepine-long-use",
        "1",
        "Benzodiazepine for more than 12 weeks without a review",
        Severity.MODERATE,
        sources.BENZODIAZEPINES,
        "Benzodiazepines are taken for more than 12 weeks, and no review of medicines was completed in the last 12.",
        f"Review benefit and dependence with the patient. {TAPER}",
        _long_benzodiazepine,
    ),
)
