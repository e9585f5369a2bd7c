"""``docs/safety-rules.md``, written from the rules: ``python -m services.careplans.domain.safety.document``."""

from collections.abc import Iterator

from services.careplans.domain.safety.evaluate import RULES, VERSION
from services.careplans.domain.safety.factors import NOT_COUNTED, PER_MCG_PER_HOUR, PER_MG, SOURCE
from services.careplans.domain.safety.finding import Rule
from services.careplans.domain.safety.ingredients import INGREDIENTS, DrugClass
from services.careplans.domain.safety.interaction_rules import STALE
from services.careplans.domain.safety.issues import (
    BY_PEOPLE,
    BY_RULES,
    FINDING_SYSTEM,
    REASON,
    RULE_SYSTEM,
    STATE,
    UNTIL,
    State,
)
from services.careplans.domain.safety.long_use import GAP
from services.careplans.domain.safety.opioid_rules import BANDS, OFFERED

_HEAD = """# Safety rules

Written from `services/careplans/domain/safety`; do not edit. A test compares it with the rules.

Version {version}. **No clinician has signed it off: have it reviewed before use.** The rules inform and never block: a
finding names its rule, version, source and inputs, and says what data is missing. No answer is ever an abrupt taper.

## The medication list

All MedicationRequests and MedicationStatements of the record, whatever their source, are merged before anything is
counted. What counts is active on the day: by status, intent, `doNotPerform`, periods, and what was dispensed.

| what the record says | what is made of it |
|---|---|
| the same identifier; a statement or filler order of it (`basedOn`, `derivedFrom`) | one entry with all its sources |
| `priorPrescription` with the same ingredients | the later one counts, once it has begun, since the first |
| a statement with the same ingredients, strengths, form and doses | one entry |
| a copy in all elements; or the same day, prescriber, product and dose | one entry |
| one prescription with two doses in two sources | one entry, its dose a range |
| two prescriptions of the same product without a link | two entries; the sum is a range, from one of them to both |
| a statement that shares an ingredient and says something else | two entries; the sum is a range |
| a link between different ingredients | two entries, both counted; said aloud |
| a dispense or administration | named with its prescription, never counted |
| a supply that should still last, without a prescription | said aloud |

A dose that is missing, cannot be read, or that the text of the instruction contradicts is not known. A sum with such a
dose has no upper end: "at least", or "not known". A medicine without a text or a known code may be any, so every sum
is then "at least", too. As needed, ranges and limits count in full, and this is said. Sums are rounded to two decimals
before they are compared, as they are shown.

## Outcomes

| outcome | meaning |
|---|---|
| `found` | the rule holds |
| `possible` | it holds if what is undecided goes one way, or rests on a value older than {stale} days |
| `unknown` | it cannot be judged; what is missing is named |
| silenced | an exclusion holds; why is said |

**Exclusions.** CDC 2022 is for outpatients of 18 years and more, and not for pain of sickle cell disease or cancer, or
in palliative or end-of-life care. For them the rules marked "opioid rule" are off, and the finding that would have been
is told as silenced: under 18 years; sickle cell disease (the trait D57.3 is none); palliative or hospice care; cancer
under treatment, by an encounter code (Z51.0, Z51.1) or a procedure of the last 180 days. Cancer without such a sign
excludes nobody, nor does what is unconfirmed, provisional or differential: that is told as missing.

## Rules
"""

_MME = """
## Morphine equivalents

Per mg a day by mouth, of fentanyl per mcg an hour of a patch, whatever the days between two patches. {source}.
Not counted: {without}. Other forms and opioids have no factor: their dose is not known in MME. The bands whose change
is news: {bands} MME a day.

| opioid | factor |
|---|---|
"""

_NEWS = """
## What makes a finding a new one

The rule together with the ingredients, the dose band, and the conditions that it rests on; no resource, so that a
renewal is no news. Long use is news again every 12 weeks; prescriptions with at most {gap} days between them are one
course. Naloxone counts as offered for {offered} days after it was prescribed.

## Findings in the record

What is found or possible is a `DetectedIssue` of the patient, made and kept by the worker of `careplans`
([ADR 29](adr/0029-safety-findings.md)): `code` is the rule (`{rules}`), `detail` and `evidence` say what it rests on,
`identifier` (`{findings}`) is patient, rule and substance. The state is the extension `{state}`, with `{reason}` and,
of a snooze, `{until}` (1 or 3 months). `status` is `final`, `preliminary` for what is only possible, and `cancelled`
once it is resolved or lapsed. Every answer of a person is a `mitigation`. People change the state alone, with a reason.

| state | people may make it | the rules may make it |
|---|---|---|
{states}
## Classes

Ingredients are known by their RxNorm code, or by name. Codes marked * are not verified.

| class | ingredients |
|---|---|
"""


def render() -> str:
    """The whole document, as Markdown."""
    bands = ", ".join(str(each) for each in BANDS)
    return "".join(
        (
            _HEAD.format(version=VERSION, stale=STALE.days),
            *(part for rule in RULES for part in _rule(rule)),
            _MME.format(source=SOURCE, without=", ".join(sorted(NOT_COUNTED)), bands=bands),
            *(f"| {name} | {factor} |\n" for name, factor in PER_MG.items()),
            *(f"| {name} patch (mcg/h) | {factor} |\n" for name, factor in PER_MCG_PER_HOUR.items()),
            _NEWS.format(
                gap=GAP.days,
                offered=OFFERED.days,
                rules=RULE_SYSTEM,
                findings=FINDING_SYSTEM,
                state=STATE,
                reason=REASON,
                until=UNTIL,
                states="".join(_state(each) for each in State),
            ),
            *(f"| {each} | {', '.join(_members(each))} |\n" for each in DrugClass),
        )
    )


def _rule(rule: Rule) -> Iterator[str]:
    kind = ", opioid rule" if rule.of_opioids else ""
    yield f"\n### {rule.title}\n\n`{rule.id}`, version {rule.version}, {rule.severity}{kind}.\n\n"
    yield f"- When: {rule.trigger}\n- Answer: {rule.answer}\n- Source: {rule.source}"
    yield f", {rule.source.url}\n" if rule.source.url else "\n"


def _state(state: State) -> str:
    may = (", ".join(each for each in State if each in table[state]) or "nothing" for table in (BY_PEOPLE, BY_RULES))
    return f"| {state} | {' | '.join(may)} |\n"


def _members(of: DrugClass) -> Iterator[str]:
    for each in INGREDIENTS.values():
        if of in each.classes:
            code = f" {each.code}{'' if each.verified else '*'}" if each.code else ""
            yield f"{each.name}{code}"


if __name__ == "__main__":
    print(render(), end="")
