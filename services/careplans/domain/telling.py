"""What changed between two versions of a plan, in a line for people: "Physical therapy changed X because Y"."""

import re
from collections.abc import Iterator
from typing import Any

from services.careplans.domain.accounts import Account
from services.careplans.domain.merging import Difference, is_in, place_of
from shared.fhir.json import Resource

_LONGEST = 80
"""Characters of a title that is no name but a description."""
_ACTIVITY = "CarePlan.activity"
_FIELD = re.compile(r"[A-Za-z_.]*$")


def line(change: Difference, account: Account, *plans: Resource) -> str:
    """One change by somebody. ``plans`` are the versions in which its activity may be looked up, the best first."""
    because = f" because: {account.reason.strip()}" if account.reason else ""
    return f"{account.name} {_verb(change)} {_what(change, *plans)}{because}"


def lines(changes: Iterator[Difference] | tuple[Difference, ...], account: Account, *plans: Resource) -> Iterator[str]:
    """A line for each change."""
    return (line(change, account, *plans) for change in changes)


def _verb(change: Difference) -> str:
    if change.before is None:
        return "added"
    return "removed" if change.after is None else "changed"


def _what(change: Difference, *plans: Resource) -> str:
    if not change.path.startswith(f"{_ACTIVITY}."):
        return "the order of the activities" if change.path == _ACTIVITY else change.path.removeprefix("CarePlan.")
    field = (_FIELD.search(change.path) or [""])[0].lstrip(".")
    title = next((found for plan in plans if (found := _titled(change.path, plan))), None)
    whole = f"the activity “{title}”" if title else "an activity"
    return f"{field} of {whole}" if field else whole


def _titled(path: str, plan: Resource) -> str | None:
    for activity in plan.get("activity") or ():
        if is_in(path, place_of(_ACTIVITY, activity.get("id"))):
            return title_of(activity)
    return None


def title_of(activity: Resource) -> str | None:
    """What people call it; else its id."""
    detail: Resource = activity.get("detail") or {}
    code: Resource = detail.get("code") or {}
    displays: Iterator[Any] = (coding.get("display") for coding in code.get("coding") or ())
    names = (
        code.get("text"),
        *displays,
        _short(detail.get("description")),
        (activity.get("reference") or {}).get("display"),
        activity.get("id"),
    )
    return next((name for name in names if isinstance(name, str) and name), None)


def _short(text: Any) -> Any:
    return f"{text[: _LONGEST - 1]}…" if isinstance(text, str) and len(text) > _LONGEST else text
