"""What coordinators and clinicians see of the safety of a plan's patient, and how they answer a finding."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.careplans.app.findings import keep
from services.careplans.app.patient_record import record_of
from services.careplans.app.queries import require_view
from services.careplans.domain.codes import extension_value, reference_of
from services.careplans.domain.rules import KEEPER, refuse_patients
from services.careplans.domain.safety.answering import later
from services.careplans.domain.safety.evaluate import VERSION, Evaluation, evaluate
from services.careplans.domain.safety.finding import Finding, Silenced
from services.careplans.domain.safety.issues import (
    REASON,
    State,
    is_finding,
    issue_id,
    state_of,
    until_of,
    with_state,
)
from services.careplans.domain.safety.merging import Entry
from services.careplans.domain.safety.totals import Total
from shared.engine import Engine
from shared.errors import NotFound
from shared.fhir.json import Resource, loads
from shared.reading import current
from shared.security.caller import Caller
from shared.unit_of_work import unit_of_work

PATIENT = "Patient/"


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


async def safety_of(engine: Engine, caller: Caller, plan_id: str) -> Safety:
    """The rules on the record of the plan's patient, as far as the caller may see it. It stores nothing.

    Raises ``NotFound`` or ``Gone``."""
    patient = await _patient_of(engine, caller, plan_id)
    record = await record_of(engine, engine.access(caller), patient) if patient.startswith(PATIENT) else {}
    issues = {each["id"]: each for each in record.get("DetectedIssue", ()) if is_finding(each)}
    evaluation = await asyncio.to_thread(evaluate, record, engine.clock().date())
    return _told(plan_id, patient, evaluation, issues)


async def answer(
    engine: Engine,
    caller: Caller,
    plan_id: str,
    issue: str,
    state: State,
    reason: str,
    months: int | None = None,
) -> Safety:
    """Acknowledge, snooze (for ``months``) or resolve a finding of the plan's patient; what the rules say then.

    Raises ``NotFound`` or ``Gone``, ``Forbidden`` for patients, ``Conflict`` for an answer that may not follow, and
    ``Unprocessable`` for one without a reason."""
    refuse_patients(caller)
    patient = await _patient_of(engine, caller, plan_id)
    await _keep_first(engine, patient)
    async with unit_of_work(engine, caller) as work:
        stored = await work.load("DetectedIssue", issue)
        body: Resource = {} if stored is None or stored.deleted else loads(stored.body)
        if not is_finding(body) or reference_of(body.get("patient")) != patient:
            raise NotFound("No such finding of this patient.")
        until = None if months is None else later(work.now, months)
        await work.update(with_state(body, state, reason, until))
        await work.commit()
    return await safety_of(engine, caller, plan_id)


async def _keep_first(engine: Engine, patient: str) -> None:
    """What is answered may have been seen before the worker stored it."""
    if patient.startswith(PATIENT):
        async with unit_of_work(engine, KEEPER) as work:
            await keep(work, patient)
            await work.commit()


async def _patient_of(engine: Engine, caller: Caller, plan_id: str) -> str:
    stored = await current(engine, caller, "CarePlan", plan_id)
    patient = reference_of(loads(stored.body).get("subject"))
    require_view(caller, patient)
    return patient or ""


def _told(plan_id: str, patient: str, evaluation: Evaluation, issues: Mapping[str, Resource]) -> Safety:
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
        missing=tuple(_each(total.gaps)),
        undecided=total.doubts,
    )


def _each(gaps: Iterable[object]) -> Iterable[str]:
    return (str(each) for each in gaps)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
