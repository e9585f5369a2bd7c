"""A finding as a DetectedIssue (http://hl7.org/fhir/R4/detectedissue.html), and what may become of it.

R4 has no state "acknowledged": the state is an extension, ``status`` says whether the finding holds, every answer of
people is a ``mitigation`` (docs/adr/0029-safety-findings.md). What it rests on is named by identifiers: a reference
would keep others from deleting their own resources.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.careplans.domain.codes import extension_value, reference_of
from services.careplans.domain.safety.finding import Finding, Outcome
from shared.clock import instant
from shared.fhir.json import Resource

RULE_SYSTEM = "https://consilium.care/fhir/CodeSystem/safety-rule"
FINDING_SYSTEM = "https://consilium.care/fhir/NamingSystem/safety-finding"
"""The identifier of a finding: patient, rule and substance in one key."""
RESOURCE_SYSTEM = "https://consilium.care/fhir/NamingSystem/resource"
"""``Type/id`` of a resource of the shared record, as an identifier."""
_EXTENSION = "https://consilium.care/fhir/StructureDefinition/safety-"
STATE, REASON, UNTIL = f"{_EXTENSION}state", f"{_EXTENSION}reason", f"{_EXTENSION}until"
MISSING, SOURCE = f"{_EXTENSION}missing", f"{_EXTENSION}source"
_NAMESPACE = UUID("6f0f3f0e-52f7-5d0e-9a63-0b0f5c1d2c29")


class State(StrEnum):
    """Where a finding is."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    """By a person; it stays so as long as its inputs are what they were."""
    LAPSED = "lapsed"
    """Its inputs do not hold any more; when they hold again, it is open again."""


Transitions = Mapping[State, frozenset[State]]

_ANSWERS = frozenset({State.ACKNOWLEDGED, State.SNOOZED, State.RESOLVED})
BY_PEOPLE: Transitions = {
    State.OPEN: _ANSWERS,
    State.ACKNOWLEDGED: _ANSWERS,
    State.SNOOZED: _ANSWERS,
    State.RESOLVED: frozenset(),
    State.LAPSED: frozenset(),
}
BY_RULES: Transitions = {
    State.OPEN: frozenset({State.LAPSED}),
    State.ACKNOWLEDGED: frozenset({State.LAPSED}),
    State.SNOOZED: frozenset({State.OPEN, State.LAPSED}),
    State.RESOLVED: frozenset({State.LAPSED}),
    State.LAPSED: frozenset({State.OPEN}),
}


def issue_id(patient: str, finding: Finding) -> str:
    """The id of the issue of ``finding`` for ``Patient/x``: the same for the same substance."""
    return str(uuid5(_NAMESPACE, f"{patient}|{finding.key}"))


def is_finding(issue: Resource | None) -> bool:
    """Whether the DetectedIssue is one that the rules made."""
    return any(each.get("system") == FINDING_SYSTEM for each in (issue or {}).get("identifier") or ())


def state_of(issue: Resource) -> State | None:
    """Its state; None where it says none that we know."""
    value = extension_value(issue, STATE)
    return State(value) if isinstance(value, str) and value in set(State) else None


def rule_of(issue: Resource) -> str | None:
    """The id of the rule that made it."""
    codings = (issue.get("code") or {}).get("coding") or ()
    return next((each.get("code") for each in codings if each.get("system") == RULE_SYSTEM), None)


def topic_of(issue: Resource) -> str | None:
    """The rule, and which of its verdicts, by the identifier."""
    values = (each.get("value", "") for each in issue.get("identifier") or () if each.get("system") == FINDING_SYSTEM)
    parts = next(values, "").split("|")
    return parts[1] if len(parts) == 3 else None


def until_of(issue: Resource) -> datetime | None:
    """When a snooze runs out."""
    value = extension_value(issue, UNTIL)
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def with_state(issue: Resource, state: State, reason: str | None = None, until: datetime | None = None) -> Resource:
    """``issue`` in ``state``, for ``reason`` and, of a snooze, ``until`` then."""
    kept = [each for each in issue.get("extension") or () if each.get("url") not in (STATE, REASON, UNTIL)]
    told: list[Resource] = [{"url": STATE, "valueCode": state.value}]
    if reason is not None:
        told.append({"url": REASON, "valueString": reason})
    if until is not None:
        told.append({"url": UNTIL, "valueDateTime": instant(until)})
    return issue | {"extension": [*kept, *told]}


def drawn(finding: Finding, patient: str, now: datetime) -> Resource:
    """The DetectedIssue of a new finding, open."""
    identifier = {"system": FINDING_SYSTEM, "value": f"{patient}|{finding.topic}|{finding.key}"}
    made = {
        "resourceType": "DetectedIssue",
        "id": issue_id(patient, finding),
        "identifier": [identifier],
        "patient": {"reference": patient},
        "identifiedDateTime": instant(now),
    }
    return with_state(made | _content(finding), State.OPEN)


def _content(finding: Finding) -> Resource:
    rule, verdict = finding.rule, finding.verdict
    coding = {"system": RULE_SYSTEM, "version": rule.version, "code": rule.id, "display": rule.title}
    content: dict[str, Any] = {
        "extension": [
            {"url": SOURCE, "valueString": str(rule.source)},
            *({"url": MISSING, "valueString": each} for each in verdict.missing),
        ],
        "status": "preliminary" if verdict.outcome is Outcome.POSSIBLE else "final",
        "code": {"coding": [coding], "text": rule.title},
        "severity": finding.severity.value,
        "detail": f"{verdict.detail} {rule.answer}",
    }
    implicated = [_named(each) for each in finding.references]
    if implicated:
        content["implicated"] = implicated
    evidence = [{"code": [{"text": f"{each.what}: {each.value}"}]} for each in verdict.inputs]
    if evidence:
        content["evidence"] = evidence
    if rule.source.url:
        content["reference"] = rule.source.url
    return content


def _named(reference: str) -> Resource:
    type_ = reference.partition("/")[0]
    return {"type": type_, "identifier": {"system": RESOURCE_SYSTEM, "value": reference}}


def reconcile(
    findings: Iterable[Finding], unknown: Iterable[Finding], stored: Iterable[Resource], patient: str, now: datetime
) -> list[Resource]:
    """The issues that have to be saved so that they say what the rules say: new ones, changed ones, those that are open
    again, and those whose inputs do not hold any more.

    What a rule cannot judge at present stays as it is: missing data ends no finding."""
    holding = {issue_id(patient, each): each for each in findings}
    known = {each["id"]: each for each in stored if is_finding(each)}
    undecided = {each.topic for each in unknown}
    saved = [after for id_, each in holding.items() if (after := _holding(known.get(id_), each, patient, now))]
    for id_, issue in known.items():
        if id_ not in holding and topic_of(issue) not in undecided and state_of(issue) is not State.LAPSED:
            saved.append(with_state(issue, State.LAPSED) | {"status": "cancelled"})
    return sorted(saved, key=lambda each: str(each["id"]))


def _holding(before: Resource | None, finding: Finding, patient: str, now: datetime) -> Resource | None:
    """The issue of a finding that holds; None where it says so already."""
    if before is None:
        return drawn(finding, patient, now)
    state = state_of(before)
    until = until_of(before)
    again = state in (None, State.LAPSED) or (state is State.SNOOZED and (until is None or until <= now))
    content = _content(finding)
    own = [each for each in before.get("extension") or () if each.get("url") in (STATE, REASON, UNTIL)]
    after = {name: value for name, value in before.items() if name not in {"evidence", "implicated", "reference"}}
    after |= content | {"extension": [*content["extension"], *own]}
    if again:
        after = with_state(after, State.OPEN) | {"identifiedDateTime": instant(now)}
    elif state is State.RESOLVED:
        after["status"] = "cancelled"
    return after if after != before else None


def next_look(stored: Iterable[Resource]) -> datetime | None:
    """When the first snooze runs out."""
    ends = (until_of(each) for each in stored if is_finding(each) and state_of(each) is State.SNOOZED)
    return min((each for each in ends if each is not None), default=None)


def patient_of(issue: Resource) -> str | None:
    """``Patient/x``."""
    return reference_of(issue.get("patient"))
