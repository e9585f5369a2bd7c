"""Notes on a referral: ``Task.note``, which is only ever added to here (http://hl7.org/fhir/R4/datatypes.html#Annotation)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

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


def author_of(caller: Caller) -> str:
    """Who ``caller`` is: a person rather than an organization; a relative reference, else the token's subject."""
    return caller.fhir_user or caller.organization or caller.subject


def noted(
    task: Resource, texts: Iterable[str], caller: Caller, at: datetime, related: Mapping[str, Resource]
) -> Resource:
    """``task`` with ``texts`` said by ``caller``; ``related`` has their author, where that is known.

    Raises ``Conflict`` where there are too many."""
    new = [{**_said_by(caller, related), "time": instant(at), "text": text} for text in texts]
    if not new:
        return task
    notes = [*(task.get("note") or ()), *new]
    if len(notes) > MOST_NOTES:
        raise Conflict(f"A referral takes up to {MOST_NOTES} notes.", expression=("Task.note",))
    return task | {"note": notes}


def notes_of(task: Resource) -> tuple[Note, ...]:
    """What was said, in order."""
    return tuple(Note(each["text"], _author(each), each.get("time")) for each in task.get("note") or ())


def _said_by(caller: Caller, related: Mapping[str, Resource]) -> Resource:
    author = author_of(caller)
    if author in related and author.partition("/")[0] in _AUTHORS:
        return {"authorReference": {"reference": author}}
    # a reference to who is in no directory here would dangle; their name does not
    return {"authorString": author}


def _author(note: Resource) -> str | None:
    reference = note.get("authorReference")
    if reference is None:
        return note.get("authorString")
    return target(reference) or reference.get("display")
