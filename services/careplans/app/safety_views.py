"""What the safety rules say, for people: the answer of ``/api/plans/[id]/safety``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.careplans.domain.codes import extension_value
from services.careplans.domain.safety.evaluate import VERSION, Evaluation
from services.careplans.domain.safety.finding import Finding, Silenced
from services.careplans.domain.safety.issues import REASON, State, issue_id, state_of, until_of
from services.careplans.domain.safety.merging import Entry
from services.careplans.domain.safety.totals import Total
from shared.fhir.json import Resource


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One input of a finding."""

    what: str
    value: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding. ``outcome``: `found`, `possible` (it depends on what is not decided), `unknown` (it cannot be judged).
    ``state`` and what follows are null where nobody can answer it."""

    rule: str
    version: str
    title: str
    severity: str
    outcome: str
    detail: str
    answer: str
    source: str
    source_url: str | None
    inputs: tuple[LookedAt, ...]
    missing: tuple[str, ...]
    issue: str | None = None
    state: str | None = None
    reason: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """A finding that does not hold for this patient, and why."""

    finding: Found
    why: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Medicine:
    """One entry of the merged list."""

    text: str | None
    ingredients: tuple[str, ...]
    as_needed: bool
    since: date | None
    sources: tuple[str, ...]
    evidence: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """What one entry adds to a sum; null where it is not known."""

    sources: tuple[str, ...]
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum per day. ``high`` is null where a dose is missing: then ``low`` is "at least", null where nothing is known.
    ``text`` says it in words."""

    text: str
    unit: str
    low: float | None
    high: float | None
    as_needed_in_full: bool
    counted: tuple[Counted, ...]
    missing: tuple[str, ...]
    undecided: tuple[tuple[str, str], ...]
    """Pairs that may be one prescription, or taken beside each other."""


@dataclass(frozen=True, slots=True)
class Safety:
    """What the rules say today. Advisory: no clinician has signed off the rules."""

    care_plan: str
    patient: str | None
    as_of: date
    rules: str
    """The version of the set of rules."""
    findings: tuple[Found, ...]
    unknown: tuple[Found, ...]
    silenced: tuple[Silent, ...]
    medicines: tuple[Medicine, ...]
    mme: Sum
    acetaminophen: Sum
    missing: tuple[str, ...]


def told(plan_id: str, patient: str, evaluation: Evaluation, issues: Mapping[str, Resource]) -> Safety:
    """The answer; ``issues`` are the stored findings by id."""
    return Safety(
        f"CarePlan/{plan_id}",
        patient or None,
        evaluation.facts.as_of,
        VERSION,
        tuple(_answerable(each, patient, issues) for each in evaluation.findings),
        tuple(found(each) for each in evaluation.unknown),
        tuple(_silent(each) for each in evaluation.silenced),
        tuple(_medicine(each) for each in evaluation.facts.medicines.entries),
        _sum(evaluation.facts.mme),
        _sum(evaluation.facts.acetaminophen),
        evaluation.missing,
    )


def _answerable(finding: Finding, patient: str, issues: Mapping[str, Resource]) -> Found:
    id_ = issue_id(patient, finding)
    issue = issues.get(id_, {})
    state = state_of(issue)
    if state in (None, State.LAPSED):
        return found(finding, issue=id_, state=State.OPEN.value)
    reason = extension_value(issue, REASON)
    return found(finding, issue=id_, state=state, reason=reason, until=until_of(issue))


def found(
    finding: Finding,
    *,
    issue: str | None = None,
    state: str | None = None,
    reason: str | None = None,
    until: datetime | None = None,
) -> Found:
    """A finding for people."""
    rule, verdict = finding.rule, finding.verdict
    return Found(
        rule=rule.id,
        version=rule.version,
        title=rule.title,
        severity=finding.severity.value,
        outcome=verdict.outcome.value,
        detail=verdict.detail,
        answer=rule.answer,
        source=str(rule.source),
        source_url=rule.source.url,
        inputs=tuple(LookedAt(each.what, each.value, each.references) for each in verdict.inputs),
        missing=verdict.missing,
        issue=issue,
        state=state,
        reason=reason,
        until=until,
    )


def _silent(silenced: Silenced) -> Silent:
    return Silent(found(silenced.finding), silenced.why, silenced.references)


def _medicine(entry: Entry) -> Medicine:
    return Medicine(
        entry.lead.product.text,
        entry.names,
        entry.as_needed,
        entry.since,
        entry.sources,
        entry.evidence,
        entry.remarks,
    )


def _sum(total: Total) -> Sum:
    low = None if total.high is None and not total.low else float(total.low)
    return Sum(
        text=str(total),
        unit=total.unit,
        low=low,
        high=_number(total.high),
        as_needed_in_full=total.at_most,
        counted=tuple(Counted(each.entry.sources, _number(each.low), _number(each.high)) for each in total.shares),
        missing=tuple(map(str, total.gaps)),
        undecided=total.doubts,
    )


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
