"""Other plans of the same patient, which EHRs keep: linked to the shared plan, compared with it, never changed.

The shared plan is ``basedOn`` them, as it fulfils them in part (http://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.basedOn);
what ``replaces`` one, people say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.careplans.domain.applying.classes import codings
from services.careplans.domain.codes import is_shared_plan, reference_of
from services.careplans.domain.facts import activity_status
from shared.fhir.json import Resource

SOURCE = "https://consilium.care/fhir/StructureDefinition/activity-source"
"""On an activity: the plan from which people took it over."""
NEVER_WAS = "entered-in-error"
LINKS = ("basedOn", "partOf", "replaces")

Standing = Literal["same", "differs", "missing"]


@dataclass(frozen=True, slots=True)
class Item:
    """One activity or goal of another plan, and how the shared plan has it. ``key`` is its id or its place there."""

    key: str
    kind: Literal["activity", "goal"]
    title: str
    standing: Standing
    status: str | None
    """There."""
    here: str | None = None
    """The id of our activity, or the reference of our goal."""
    status_here: str | None = None


def is_source(plan: Resource | None, patient: str) -> bool:
    """Whether it is another plan of that patient, which the shared plan is linked to."""
    return (
        plan is not None
        and not is_shared_plan(plan)
        and plan.get("status") != NEVER_WAS
        and plan.get("intent") != "option"
        and reference_of(plan.get("subject")) == patient
    )


def linked(shared: Resource, sources: Iterable[str], gone: Iterable[str] = ()) -> Resource:
    """The shared plan with links to ``sources`` (references) and none to ``gone``; itself where nothing changes.

    What people linked in another way is left alone."""
    lost = set(gone)
    known = {reference_of(each) for name in LINKS for each in shared.get(name) or ()}
    kept = [each for each in shared.get("basedOn") or () if reference_of(each) not in lost]
    fresh = [{"reference": each} for each in dict.fromkeys(sources) if each not in known and each not in lost]
    wanted = [*kept, *fresh]
    if wanted == (shared.get("basedOn") or []):
        return shared
    rest = {name: value for name, value in shared.items() if name != "basedOn"}
    return rest | ({"basedOn": wanted} if wanted else {})


def without(shared: Resource, source: str) -> Resource | None:
    """The shared plan without any link to ``source``; None where it has none."""
    found = {name: shared[name] for name in LINKS if name in shared}
    kept = {name: [each for each in links if reference_of(each) != source] for name, links in found.items()}
    if kept == found:
        return None
    rest = {name: value for name, value in shared.items() if name not in LINKS}
    return rest | {name: links for name, links in kept.items() if links}


def reconciled(shared: Resource, source: Resource, goals: Mapping[str, Resource]) -> Iterator[Item]:
    """Each activity and goal of ``source``; ``goals`` are those of both plans by reference."""
    ours = shared.get("activity") or ()
    for place, activity in enumerate(source.get("activity") or ()):
        match = next((each for each in ours if _alike(each, activity)), None)
        status = activity_status(activity)
        key = str(activity.get("id") or f"activity-{place}")
        if match is None:
            yield Item(key, "activity", _title(activity), "missing", status)
            continue
        here = activity_status(match)
        standing: Standing = "same" if here == status else "differs"
        yield Item(key, "activity", _title(activity), standing, status, match.get("id"), here)
    yield from _goals(shared, source, goals)


def _goals(shared: Resource, source: Resource, goals: Mapping[str, Resource]) -> Iterator[Item]:
    ours = [reference_of(each) for each in shared.get("goal") or ()]
    for reference in filter(None, (reference_of(each) for each in source.get("goal") or ())):
        goal = goals.get(reference, {})
        text, status = _text(goal), goal.get("lifecycleStatus")
        match = next(
            (each for each in ours if each == reference or (text and _text(goals.get(each or "", {})) == text)), None
        )
        if match is None:
            yield Item(reference, "goal", _shown(goal), "missing", status)
            continue
        here = goals.get(match, {}).get("lifecycleStatus")
        standing: Standing = "same" if here == status else "differs"
        yield Item(reference, "goal", _shown(goal), standing, status, match, here)


def taken_over(source: Resource, keys: Iterable[str]) -> tuple[list[Resource], list[Resource]]:
    """The activities and the goals (References) of ``source`` under ``keys``, as the shared plan takes them.

    Raises ``KeyError`` for a key that it has not."""
    activities = {str(each.get("id") or f"activity-{n}"): each for n, each in enumerate(source.get("activity") or ())}
    goals = {reference_of(each) or "": each for each in source.get("goal") or ()}
    origin = {"url": SOURCE, "valueReference": {"reference": f"CarePlan/{source['id']}"}}
    taken: tuple[list[Resource], list[Resource]] = [], []
    for key in dict.fromkeys(keys):
        if key in goals:
            taken[1].append({"reference": key})
            continue
        activity = {name: value for name, value in activities[key].items() if name != "id"}
        taken[0].append(activity | {"extension": [*(activity.get("extension") or ()), origin]})
    return taken


def _alike(ours: Resource, theirs: Resource) -> bool:
    """The same order, the same code, or the same words."""
    one, other = (reference_of(each.get("reference")) for each in (ours, theirs))
    if one is not None and other is not None:
        return one == other
    codes, others = (set(codings((each.get("detail") or {}).get("code"))) for each in (ours, theirs))
    if codes and others:
        return not codes.isdisjoint(others)
    return _words(_title(ours)) == _words(_title(theirs)) != ""


def _title(activity: Resource) -> str:
    detail: dict[str, Any] = activity.get("detail") or {}
    code = detail.get("code") or {}
    shown = next((each["display"] for each in code.get("coding") or () if "display" in each), None)
    reference = activity.get("reference") or {}
    return str(code.get("text") or shown or detail.get("description") or reference.get("display") or "")


def _shown(goal: Resource) -> str:
    return str((goal.get("description") or {}).get("text") or "")


def _text(goal: Resource) -> str:
    return _words(_shown(goal))


def _words(text: str) -> str:
    return " ".join(text.casefold().split())
