"""All rules on one patient's record on one day: findings, those that are silenced and why, and what is not known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from services.careplans.domain.safety.facts import Exclusion, Facts, facts_of
from services.careplans.domain.safety.finding import Finding, Outcome, Rule, Silenced
from services.careplans.domain.safety.interaction_rules import INTERACTION_RULES
from services.careplans.domain.safety.merging import Record
from services.careplans.domain.safety.opioid_rules import OPIOID_RULES
from services.careplans.domain.safety.use_rules import USE_RULES

RULES: tuple[Rule, ...] = (*OPIOID_RULES, *INTERACTION_RULES, *USE_RULES)
BY_ID = {each.id: each for each in RULES}
VERSION = "2026.11"
"""The version of the whole set; each rule has its own, too."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rules say. ``findings`` are found or possible, ``unknown`` cannot be judged."""

    facts: Facts
    findings: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    silenced: tuple[Silenced, ...]
    missing: tuple[str, ...]
    """What the medication list itself lacks."""


def evaluate(record: Record, as_of: date) -> Evaluation:
    """Judge ``record``, which is that of one patient, on the day ``as_of``. Advisory: a clinician decides."""
    facts = facts_of(record, as_of)
    judged = list(_judged(facts))
    excluded = [each for each in judged if each.rule.of_opioids and facts.exclusions]
    holding = [each for each in judged if each not in excluded]
    return Evaluation(
        facts,
        tuple(each for each in holding if each.verdict.outcome is not Outcome.UNKNOWN),
        tuple(each for each in holding if each.verdict.outcome is Outcome.UNKNOWN),
        tuple(_silenced(each, facts.exclusions) for each in excluded),
        tuple(dict.fromkeys(_missing(facts))),
    )


def _judged(facts: Facts) -> Iterator[Finding]:
    for rule in RULES:
        for verdict in rule.judge(facts):
            unsure = facts.unsure if rule.of_opioids else ()
            yield Finding(rule, replace(verdict, missing=(*verdict.missing, *unsure)) if unsure else verdict)


def _silenced(finding: Finding, exclusions: tuple[Exclusion, ...]) -> Silenced:
    why = ", ".join(each.why for each in exclusions)
    text = f"{why}: CDC 2022 does not apply, the rules about opioids are off"
    return Silenced(finding, text, tuple(dict.fromkeys(one for each in exclusions for one in each.references)))


def _missing(facts: Facts) -> Iterator[str]:
    yield from map(str, facts.medicines.gaps)
    for entry in facts.medicines.entries:
        yield from (str(gap) for dose in entry.doses for gap in dose.gaps if gap.element.endswith(".text"))
    for each in facts.medicines.unread:
        yield f"{each.lead.reference}: {each.lead.product.text or 'the medicine'} is not known to the rules"
    for entry in facts.medicines.entries:
        yield from entry.remarks
