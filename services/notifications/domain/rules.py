"""The rules: which event is told to whom, in which words. Data, with an id and a version each.

Texts are complete sentences made of our own codes: they can be a subject line, and carry nothing about a person.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

from services.notifications.domain.happening import Happening
from services.notifications.domain.receivers import COORDINATORS, DISCIPLINES, everyone_of, is_receiver

VERSION = "4"
"""The version of the table as a whole; it goes up with every change of a row."""


class Audience(StrEnum):
    """Who hears, in terms of what the event names."""

    OWNER = "owner"
    REQUESTER = "requester"
    TEAM = "team"
    TAKERS = "takers"
    """Everyone of the referral's discipline, while nobody owns it and nobody has it on offer."""
    TRIAGE = "triage"
    """The coordinators, while nobody owns it and nobody has it on offer."""
    COORDINATORS = "coordinators"
    OFFERED = "offered"
    """Whom an open referral is offered to, instead of everyone of the discipline."""
    WITHDRAWN = "withdrawn"
    """Whom it was offered to, and who did not get it."""
    AWAITED = "awaited"
    """Whoever is waited for."""


WAITS: Mapping[str, str] = {
    "acknowledgement": "its receipt",
    "acceptance": "its acceptance",
    "scheduling": "an appointment",
    "visit": "the visit",
    "report": "the report",
    "cancellation": "the confirmation of its cancellation",
    "resumption": "its resumption",
    "closing": "somebody to read its report",
}
"""What a referral waits for, in the middle of a sentence."""
LATE = " This message is late."


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``event`` is a pattern on the event type; ``{discipline}`` in ``text`` is the discipline's label,
    ``{wait}`` what a referral waits for."""

    id: str
    event: str
    audience: Audience
    text: str
    version: str = VERSION
    stream_only: bool = False
    """Never by mail or webhook, whatever the receiver prefers."""
    urgent: bool = False
    """To be looked at today: never digested, and never muted, so the stream has it whatever the receiver prefers."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one receiver is told of one event."""

    receiver: str
    rule: Rule
    text: str


def _referral(step: str, *rows: tuple[Audience, str]) -> Iterator[Rule]:
    for audience, text in rows:
        yield Rule(f"referral-{step}-{audience}", f"referral.{step}.v1", audience, text)


def _clock(stage: str, *rows: tuple[Audience, str]) -> Iterator[Rule]:
    for audience, text in rows:
        yield Rule(f"referral-clock-{stage}-{audience}", f"referral-clock.{stage}.v1", audience, text)


_OWNER, _REQUESTER, _COORDINATORS = Audience.OWNER, Audience.REQUESTER, Audience.COORDINATORS

RULES: tuple[Rule, ...] = (
    *_referral(
        "requested",
        (_OWNER, "A referral to {discipline} was sent to you."),
        (Audience.OFFERED, "A referral to {discipline} is offered to you: the first to accept it has it."),
        (Audience.TAKERS, "A referral to {discipline} waits for somebody to take it."),
        (Audience.TRIAGE, "A referral to {discipline} waits for an owner."),
    ),
    *_referral("received", (_REQUESTER, "A referral to {discipline} was received.")),
    *_referral("accepted", (_REQUESTER, "A referral to {discipline} was accepted.")),
    *_referral(
        "declined",
        (_REQUESTER, "A referral to {discipline} was declined."),
        (_COORDINATORS, "A referral to {discipline} was declined."),
    ),
    *_referral("scheduled", (_REQUESTER, "A referral to {discipline} has an appointment.")),
    *_referral("rescheduled", (_REQUESTER, "A referral to {discipline} has a new appointment.")),
    *_referral(
        "no-show",
        (_REQUESTER, "The appointment of a referral to {discipline} was missed."),
        (_COORDINATORS, "The appointment of a referral to {discipline} was missed."),
    ),
    *_referral("appointment-cancelled", (_REQUESTER, "The appointment of a referral to {discipline} was cancelled.")),
    *_referral("started", (_REQUESTER, "Work on a referral to {discipline} has begun.")),
    *_referral("interim-note", (_REQUESTER, "A referral to {discipline} has an interim note.")),
    *_referral(
        "cancellation-requested",
        (_OWNER, "The requester asks to cancel a referral to {discipline}."),
        (Audience.TRIAGE, "The requester asks to cancel a referral to {discipline}."),
    ),
    *_referral(
        "cancelled",
        (_REQUESTER, "A referral to {discipline} was cancelled."),
        (_OWNER, "A referral to {discipline} was cancelled."),
    ),
    *_referral("completed", (_REQUESTER, "A referral to {discipline} was completed.")),
    *_referral("held", (_REQUESTER, "A referral to {discipline} was put on hold.")),
    *_referral("resumed", (_REQUESTER, "A referral to {discipline} was taken up again.")),
    *_referral("returned", (_REQUESTER, "There are questions about a referral to {discipline}.")),
    *_referral("answered", (_OWNER, "The questions about a referral to {discipline} were answered.")),
    *_referral("closed", (_OWNER, "The report of a referral to {discipline} was acknowledged.")),
    *_referral(
        "failed",
        (_REQUESTER, "A referral to {discipline} failed."),
        (_COORDINATORS, "A referral to {discipline} failed."),
    ),
    *_referral(
        "entered-in-error",
        (_OWNER, "A referral to {discipline} was entered in error."),
        (_REQUESTER, "A referral to {discipline} was entered in error."),
    ),
    Rule(
        "referral-withdrawn",
        "referral.*.v1",
        Audience.WITHDRAWN,
        "A referral to {discipline} is not offered to you any more.",
    ),
    *_clock(
        "reminder",
        (Audience.AWAITED, "A referral to {discipline} waits for {wait}, and for you."),
        (Audience.OFFERED, "A referral to {discipline} is still offered to you."),
        (Audience.TAKERS, "A referral to {discipline} still waits for somebody to take it."),
        (Audience.TRIAGE, "A referral to {discipline} still waits for an owner."),
    ),
    *_clock("escalation", (_COORDINATORS, "A referral to {discipline} has waited too long for {wait}.")),
    *_clock(
        "reroute",
        (_COORDINATORS, "A referral to {discipline} has waited too long for {wait}: it can be sent to somebody else."),
    ),
    Rule(
        "referral-exchange-given-up",
        "referral-exchange.given-up.v1",
        _COORDINATORS,
        "A referral to another system could not be carried on: that system could not be reached, or refused it.",
    ),
    Rule(
        "referral-exchange-conflict",
        "referral-exchange.conflict.v1",
        _COORDINATORS,
        "A referral to another system had changed on both sides: what the other system says stands.",
    ),
    Rule(
        "plan-activity-team",
        "careplan.activity-*.v1",
        Audience.TEAM,
        "{part} of a shared plan has changed.",
    ),
    Rule("plan-team-team", "careplan.team-changed.v1", Audience.TEAM, "The team of a shared plan has changed."),
    Rule("plan-deleted-team", "careplan.deleted.v1", Audience.TEAM, "A shared plan was deleted."),
    *(
        Rule(
            f"safety-answer-{audience}",
            "safety.self-harm-item-positive.v1",
            audience,
            "An answer in a questionnaire must be looked at today, for the patient's safety.",
            urgent=True,
        )
        for audience in (_COORDINATORS, Audience.TEAM)
    ),
    *(
        Rule(
            f"safety-answer-on-record-{audience}",
            "safety.self-harm-item-on-record.v1",
            audience,
            "An answer of some time ago, which concerns a patient's safety, has come into the record.",
        )
        for audience in (_COORDINATORS, Audience.TEAM)
    ),
    *(
        Rule(
            f"diagnosis-revisit-{audience}",
            "diagnosis.revisit-due.v1",
            audience,
            "The date by which an uncertain diagnosis was to be looked at again has passed.",
        )
        for audience in (_COORDINATORS, Audience.TEAM)
    ),
    *(
        Rule(
            f"outcome-review-{audience}",
            "outcome.review-due.v1",
            audience,
            "New scores call for a review of a shared plan.",
        )
        for audience in (_COORDINATORS, Audience.TEAM)
    ),
    Rule(
        "safety-finding-team",
        "safety.finding-opened.v1",
        Audience.TEAM,
        "A safety rule found something to look at in the medicines of a patient with a shared plan.",
    ),
    Rule(
        "notification-failed-coordinators",
        "notification.failed.v1",
        _COORDINATORS,
        "A message could not be delivered.",
        # a coordinators' mailbox that is down must not make mail about mail
        stream_only=True,
    ),
)
"""In order: the first rule that reaches a receiver words the message.

``careplan.updated`` is not told: it goes with every other change."""


def _everyone_of(discipline: str | None) -> Iterable[str]:
    return (everyone_of(discipline),) if discipline and discipline in DISCIPLINES else ()


def _has_somebody(it: Happening) -> bool:
    return bool(it.owner or it.awaited or it.offered)


_AUDIENCES: Mapping[Audience, Callable[[Happening], Iterable[str | None]]] = {
    Audience.OWNER: lambda it: (it.owner,),
    Audience.REQUESTER: lambda it: (it.requester,),
    Audience.TEAM: lambda it: it.team,
    Audience.TAKERS: lambda it: () if _has_somebody(it) else _everyone_of(it.discipline),
    Audience.TRIAGE: lambda it: () if _has_somebody(it) else (COORDINATORS,),
    Audience.OFFERED: lambda it: () if it.owner or it.awaited else it.offered,
    Audience.WITHDRAWN: lambda it: it.withdrawn,
    Audience.COORDINATORS: lambda it: (COORDINATORS,),
    Audience.AWAITED: lambda it: (it.awaited,),
}


@lru_cache(maxsize=256)
def concerns(type: str) -> bool:
    """Whether any rule speaks of events of ``type``."""
    return any(fnmatchcase(type, rule.event) for rule in RULES)


def messages(happening: Happening, rules: Iterable[Rule] = RULES) -> tuple[Message, ...]:
    """One message for each receiver of ``happening``; nobody gets two."""
    found: dict[str, Message] = {}
    known = DISCIPLINES.get(happening.discipline or "")
    label, part = known or "another service", f"The {known} part" if known else "A part"
    wait = WAITS.get(happening.waits_for or "", "an answer")
    late = LATE if happening.late else ""
    for rule in rules:
        if not fnmatchcase(happening.type, rule.event):
            continue
        for receiver in _AUDIENCES[rule.audience](happening):
            if receiver and is_receiver(receiver) and receiver not in found:
                found[receiver] = Message(
                    receiver, rule, rule.text.format(discipline=label, part=part, wait=wait) + late
                )
    return tuple(found[receiver] for receiver in sorted(found))
