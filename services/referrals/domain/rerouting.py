"""A referral that is offered to somebody else: a new Task for the same order, which names the one before."""

from datetime import datetime

from services.referrals.domain.marks import ACKNOWLEDGED, REPLACED, RETURNED, without
from services.referrals.domain.moving import moved
from services.referrals.domain.references import codings, target
from services.referrals.domain.transitions import State
from shared.clock import instant
from shared.fhir.json import Resource

REPLACES = ("https://consilium.care/fhir/CodeSystem/task-input", "replaces")
"""The type of the ``Task.input`` that refers to the Task before. R4 has no element of its own for that: ``partOf``
would make it a part of what has ended, ``basedOn`` is for requests, ``relevantHistory`` for Provenance."""
_OF_ONE_OFFER = frozenset(
    # who was asked, what they did with it, and what was said to them
    ("id", "identifier", "businessStatus", "statusReason", "note", "output", "executionPeriod", "lastModified", "text")
)


def replaces(task: Resource) -> str | None:
    """The Task whose place ``task`` takes, as a relative reference; None for most."""
    found = (given for given in task.get("input") or () if REPLACES in codings(given.get("type")))
    return next((target(given.get("valueReference")) for given in found), None)


def sent_anew(task: Resource, owner: str, at: datetime, *, harmonized: bool) -> Resource:
    """A new referral like ``task``, sent to ``owner`` (a relative reference) in its place."""
    system, code = REPLACES
    before = {
        "type": {"coding": [{"system": system, "code": code}], "text": "replaces"},
        "valueReference": {"reference": f"Task/{task['id']}"},
    }
    kept = {element: value for element, value in task.items() if element not in _OF_ONE_OFFER}
    others = [given for given in kept.get("input") or () if REPLACES not in codings(given.get("type"))]
    changes = {
        "owner": {"reference": owner},
        "authoredOn": instant(at),
        "input": [*others, before],
        "restriction": _unaddressed(kept.get("restriction")),
        "meta": _profiles(kept.get("meta")),
    }
    anew = kept | changes
    for mark in (RETURNED, ACKNOWLEDGED, REPLACED):
        anew = without(anew, mark)
    return moved(anew, State("requested", "2.0" if harmonized else None))


def _unaddressed(restriction: Resource | None) -> Resource | None:
    """The limits without those to whom it was offered."""
    rest = {name: value for name, value in (restriction or {}).items() if name != "recipient"}
    return rest or None


def _profiles(meta: Resource | None) -> Resource | None:
    kept: Resource = {name: value for name, value in (meta or {}).items() if name in ("profile", "security")}
    return kept or None
