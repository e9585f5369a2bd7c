"""The sources as one checked value."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from services.careplans.catalogue.schema import Action, Catalogue
from services.careplans.domain.applying.measures import MEASURES

GROUPS = (
    *("psychological", "medication", "physical", "stress-management", "complementary", "lifestyle", "self-care"),
    *("education-and-support", "coordination"),
)
"""The order of the files."""
PLANS = (
    *("stepped-care", "medication-review", "sleep-programme", "graded-exercise", "education-and-self-management"),
    "bridging",
)


@cache
def catalogue() -> Catalogue:
    """The catalogue of this release. Raises ``ValueError`` where the sources do not hold together."""
    return read(files("services.careplans.catalogue"))


def read(folder: Traversable) -> Catalogue:
    """The catalogue in ``folder``. Raises ``ValueError`` (pydantic's, too) with the place of what is wrong."""
    head = _load(folder / "catalogue.yaml")
    groups = [_load(folder / "treatments" / f"{name}.yaml") for name in GROUPS]
    plans = [_load(folder / "plans" / f"{name}.yaml") for name in PLANS]
    found = Catalogue.model_validate({**head, "groups": groups, "plans": plans})
    if mistakes := list(_mistakes(found)):
        raise ValueError("; ".join(mistakes))
    return found


def _load(file: Traversable) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def _mistakes(found: Catalogue) -> Iterator[str]:
    ids = [treatment.id for group in found.groups for treatment in group.treatments]
    yield from (f"two treatments are called {id_}" for id_, count in Counter(ids).items() if count > 1)
    for _, treatment in found.treatments.values():
        yield from _unknown("source", treatment.sources, found.sources, treatment.id)
    measures = {measure.variable for measure in MEASURES}
    for plan in found.plans:
        actions = list(_all(plan.actions))
        names = [action.id for action in actions]
        yield from (f"{plan.id}: two actions are called {id_}" for id_, count in Counter(names).items() if count > 1)
        yield from _unknown("source", plan.sources, found.sources, plan.id)
        yield from _unknown("measure", (goal.measure for goal in plan.goals if goal.measure), measures, plan.id)
        for action in actions:
            place = f"{plan.id}.{action.id}"
            yield from _unknown("source", action.sources, found.sources, place)
            yield from _unknown("treatment", [action.treatment] if action.treatment else [], ids, place)
            yield from _unknown("goal", action.goals, {goal.id for goal in plan.goals}, place)
            yield from _unknown("action", action.before, names, place)


def _unknown(kind: str, named: Iterable[str], known: Iterable[str], place: str) -> Iterator[str]:
    yield from (f"{place}: no such {kind}: {name}" for name in named if name not in set(known))


def _all(actions: Iterable[Action]) -> Iterator[Action]:
    for action in actions:
        yield action
        yield from _all(action.actions)
