"""What changed between two versions of a plan, in a line for people: "Physical therapy changed X because Y"."""

from collections.abc import Iterable, Iterator
from typing import Any

from services.careplans.domain.accounts import Account
from services.careplans.domain.codes import DISCIPLINE_DISPLAY
from services.careplans.domain.facts import activity_discipline
from services.careplans.domain.merging import Difference
from services.careplans.domain.places import Activities, place_of, places_of
from shared.fhir.json import Resource
from shared.security.caller import Role

_LONGEST = 80
"""Characters of a title that is no name but a description."""
_ACTIVITY = "CarePlan.activity"
_ITEMS = {
    "addresses": "a condition",
    "basedOn": "a plan that it is based on",
    "careTeam": "a care team",
    "goal": "a goal",
    "note": "a note",
    "replaces": "a plan that it replaces",
    "supportingInfo": "a piece of supporting information",
}
"""Lists of which one item changes at a time."""
_ROLES = {
    Role.COORDINATOR.value: "A coordinator",
    Role.PATIENT.value: "The patient",
    Role.CLINICIAN.value: "A clinician",
    Role.SYSTEM.value: "The system",
}


def line(change: Difference, account: Account, *versions: Activities) -> str:
    """One change by somebody. Its activity is looked up in ``versions``, the best first.

    A clinician whose token named no discipline is told as the one that the activity belongs to: nobody else may."""
    places = list(places_of(change.path))
    activity = next((each[place] for each in versions for place in places if place in each), None)
    owner = activity_discipline(activity) if activity and account.role == Role.CLINICIAN.value else None
    name = named(account.discipline or owner, account.role)
    because = f" because: {account.reason.strip()}" if account.reason else ""
    return f"{name} {_verb(change)} {_what(change, activity)}{because}"


def lines(changes: Iterable[Difference], account: Account, *versions: Activities) -> Iterator[str]:
    """A line for each change."""
    return (line(change, account, *versions) for change in changes)


def named(discipline: str | None, role: str | None) -> str:
    """Who, for a sentence: the discipline before the role. No person's name is known here."""
    if discipline is not None:
        return DISCIPLINE_DISPLAY.get(discipline, discipline.replace("-", " ").capitalize())
    return _ROLES.get(role or "", "Somebody")


def _verb(change: Difference) -> str:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"


def _what(change: Difference, activity: Resource | None) -> str:
    if change.path == _ACTIVITY:
        return "the order of the activities"
    if not change.path.startswith(f"{_ACTIVITY}."):
        element = change.path.removeprefix("CarePlan.")
        return _ITEMS.get(element, f"the {element}")
    field = change.path.removeprefix(place_of(_ACTIVITY, (activity or {}).get("id"))).lstrip(".")
    title = (title_of(activity) or activity.get("id")) if activity else None
    whole = f"the activity “{title}”" if title else "an activity"
    return f"{field} of {whole}" if field and activity else whole


def title_of(activity: Resource) -> str | None:
    """What people call it."""
    detail: Resource = activity.get("detail") or {}
    code: Resource = detail.get("code") or {}
    displays: Iterator[Any] = (coding.get("display") for coding in code.get("coding") or ())
    names = (
        code.get("text"),
        *displays,
        _short(detail.get("description")),
        (activity.get("reference") or {}).get("display"),
    )
    return next((name for name in names if isinstance(name, str) and name), None)


def _short(text: Any) -> Any:
    return f"{text[: _LONGEST - 1]}…" if isinstance(text, str) and len(text) > _LONGEST else text
