"""Notes on a referral: ``Task.note``, which is only ever added to here (http://hl7.org/fhir/R4/datatypes.html#Annotation)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.referrals.domain.references import target
from shared.clock import instant
from shared.errors import Conflict
from shared.fhir.json import Resource
from shared.security.caller import Caller

MOST_NOTES = 500
"""On one referral: each of its versions carries them all."""
_AUTHORS = frozenset({"Practitioner", "Patient", "RelatedPerson", "Organization"})


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody has said."""

    text: str
    author: str | None
    """A relative reference, else a name."""
    time: str | None


def noted(task: Resource, texts: Iterable[str], caller: Caller, at: datetime) -> Resource:
    """``task`` with ``texts`` said by ``caller``. Raises ``Conflict`` where there are too many."""
    new = [_note(text, caller, at) for text in texts]
    if not new:
        return task
    notes = [*(task.get("note") or ()), *new]
    if len(notes) > MOST_NOTES:
        raise Conflict(f"A referral takes up to {MOST_NOTES} notes.", expression=("Task.note",))
    return task | {"note": notes}


def notes_of(task: Resource) -> tuple[Note, ...]:
    """What was said, in order."""
    return tuple(Note(each["text"], _author(each), each.get("time")) for each in task.get("note") or ())


def _note(text: str, caller: Caller, at: datetime) -> Resource:
    note: dict[str, Any] = {"time": instant(at), "text": text}
    authors = (reference for reference in (caller.fhir_user, caller.organization) if reference)
    author = next((each for each in authors if each.partition("/")[0] in _AUTHORS), None)
    named = {"authorString": caller.subject} if author is None else {"authorReference": {"reference": author}}
    return named | note


def _author(note: Resource) -> str | None:
    reference = note.get("authorReference")
    if reference is None:
        return note.get("authorString")
    return target(reference) or reference.get("display")
