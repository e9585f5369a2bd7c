"""Findings as cards (https://cds-hooks.hl7.org/2.0/#cds-service-response), with the sources of the rules."""

from collections.abc import Iterator, Mapping
from uuid import UUID, uuid5

from services.careplans.domain.hooks.judging import Judged
from services.careplans.domain.hooks.request import Call
from services.careplans.domain.safety.evaluate import Evaluation
from services.careplans.domain.safety.finding import Finding, Outcome, Severity, Silenced
from services.careplans.domain.safety.ingredients import INGREDIENTS
from services.careplans.domain.safety.issues import RULE_SYSTEM, State, is_finding, issue_id, state_of
from services.careplans.domain.safety.reading import RXNORM
from shared.fhir.json import Resource

OVERRIDE_SYSTEM = "https://consilium.care/fhir/CodeSystem/safety-override"
OVERRIDES: Mapping[str, str] = {
    "benefit-outweighs-risk": "Benefit outweighs the risk for this patient",
    "already-managed": "Already known and managed",
    "list-is-wrong": "The medication list is not right",
    "change-under-way": "A slow change is under way",
    "patient-declines": "The patient declines",
}
"""Code -> display."""
LONGEST_SUMMARY = 139
ADVISORY = "Advisory: the rules inform, and a clinician decides. No clinician has signed off the rules."
_NAMESPACE = UUID("0d5b0a61-5f3f-5b0a-8b53-3f7d5d2a9e11")
_ANSWERED = frozenset({State.ACKNOWLEDGED, State.SNOOZED, State.RESOLVED})
_PREFIX = {Outcome.FOUND: "", Outcome.POSSIBLE: "Possible: ", Outcome.UNKNOWN: "Cannot be judged: "}


def cards(call: Call, judged: Judged, evaluation: Evaluation, before: Evaluation | None = None) -> list[Resource]:
    """The cards of a call, the most urgent first. What people answered in the shared record gets none; of orders,
    unless it says something else than it did ``before`` them."""
    known = {} if before is None else {each.key: each.verdict.detail for each in before.findings}
    findings = [*evaluation.findings, *(evaluation.unknown if call.service.hook == "order-sign" else ())]
    issues = {each["id"]: each for each in judged.record.get("DetectedIssue", ()) if is_finding(each)}
    found = [
        _card(each, call, judged)
        for each in findings
        if _concerns(each, call)
        and (
            state_of(issues.get(issue_id(call.patient, each), {})) not in _ANSWERED
            or (before is not None and known.get(each.key) != each.verdict.detail)
        )
    ]
    found += _silent([each for each in evaluation.silenced if _concerns(each.finding, call)])
    order = ("critical", "warning", "info")
    return sorted(found, key=lambda each: order.index(str(each["indicator"])))


def _concerns(finding: Finding, call: Call) -> bool:
    """On the patient's view all do; of orders, those that rest on one of them."""
    return not call.service.orders or not call.selected.isdisjoint(finding.references)


def _card(finding: Finding, call: Call, judged: Judged) -> Resource:
    # only a patient who is ours has findings that an answer could be kept with
    own = issue_id(call.patient, finding) if judged.ours else str(uuid5(_NAMESPACE, f"{call.instance}|{finding.key}"))
    card: Resource = {
        "uuid": own,
        "summary": f"{_PREFIX[finding.verdict.outcome]}{finding.rule.title}"[:LONGEST_SUMMARY],
        "detail": "\n".join(_detail(finding, judged)),
        "indicator": _indicator(finding),
        "source": _source(finding),
        "overrideReasons": [
            {"system": OVERRIDE_SYSTEM, "code": code, "display": display} for code, display in OVERRIDES.items()
        ],
    }
    if finding.rule.id == "naloxone-offer" and finding.verdict.outcome is not Outcome.UNKNOWN:
        card |= {"suggestions": [_naloxone(own, call.patient)], "selectionBehavior": "at-most-one"}
    return card


def _indicator(finding: Finding) -> str:
    if finding.verdict.outcome is Outcome.UNKNOWN:
        return "info"
    if finding.severity is Severity.HIGH and finding.verdict.outcome is Outcome.FOUND:
        return "critical"
    return "info" if finding.severity is Severity.LOW else "warning"


def _source(finding: Finding) -> Resource:
    rule = finding.rule
    source = {"label": str(rule.source), "topic": {"system": RULE_SYSTEM, "code": rule.id, "display": rule.title}}
    return source | ({"url": rule.source.url} if rule.source.url else {})


def _detail(finding: Finding, judged: Judged) -> Iterator[str]:
    verdict = finding.verdict
    yield f"{verdict.detail} {finding.rule.answer}\n"
    yield from (f"- {_plain(each.what)}: {_plain(each.value)}" for each in verdict.inputs)
    missing = (*verdict.missing, *(f"{key}: not given by the EHR, or not whole" for key in judged.missing))
    if missing:
        yield "\nMissing:\n"
        yield from (f"- {_plain(each)}" for each in missing)
    yield f"\nRule {finding.rule.id}, version {finding.rule.version}. {ADVISORY}"


def _plain(text: str) -> str:
    """Text of a record as Markdown that says just that: no link, no markup, no new line."""
    return "".join(f"\\{each}" if each in "\\`*_[]<>#!|~" else each for each in " ".join(text.split()))


def _naloxone(card: str, patient: str) -> Resource:
    code = INGREDIENTS["naloxone"].code
    order = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": patient},
        "medicationCodeableConcept": {
            "coding": [{"system": RXNORM, "code": code, "display": "naloxone"}],
            "text": "naloxone for opioid overdose",
        },
    }
    action = {"type": "create", "description": "Draft an order of naloxone; product and dose are to be chosen."}
    return {
        "label": "Offer naloxone",
        "uuid": str(uuid5(_NAMESPACE, f"{card}|naloxone")),
        "actions": [action | {"resource": order}],
    }


def _silent(silenced: list[Silenced]) -> list[Resource]:
    if not silenced:
        return []
    rules = ", ".join(sorted({each.finding.rule.title for each in silenced}))
    first = silenced[0]
    return [
        {
            "summary": "Rules about opioids are off for this patient",
            "detail": f"{first.why}.\n\nThey would have said: {rules}.\n\n{ADVISORY}",
            "indicator": "info",
            "source": _source(first.finding),
        }
    ]
