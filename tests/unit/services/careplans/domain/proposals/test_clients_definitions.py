"""What clients write into definitions: it is refused with its path, or proposed as it can be."""

from datetime import UTC, datetime

import pytest

from services.careplans.domain.proposals.activity import going_on
from services.careplans.domain.proposals.codes import INSTANTIATES
from services.careplans.domain.proposals.goals import accepted_goal
from services.careplans.domain.proposals.offered import offered
from shared.fhir.json import Resource

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def offer(id_: str) -> Resource:
    return {"id": id_, "resource": {"reference": f"#of-{id_}"}}


def choice(*parts: Resource) -> Resource:
    return {
        "id": "-".join(("of", *(part["id"] for part in parts))),
        "selectionBehavior": "exactly-one",
        "action": parts,
    }


def rivals(*actions: Resource) -> dict[str, set[str]]:
    contained = [{"resourceType": "Task", "id": f"of-{id_}"} for id_ in "abcdef"]
    return {id_: set(each.rivals) for id_, each in offered({"contained": contained, "action": actions}).items()}


def test_a_choice_in_a_choice_is_part_of_what_is_chosen() -> None:
    both = choice(choice(offer("a"), offer("b")), offer("c"))
    assert rivals(both) == {"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}}


def test_what_belongs_together_is_chosen_together() -> None:
    together = {"id": "together", "action": [offer("a"), offer("b")]}
    assert rivals(choice(together, offer("c")), offer("d")) == {"a": {"c"}, "b": {"c"}, "c": {"a", "b"}, "d": set()}


@pytest.mark.parametrize("value", [1e9, -1e9, 1e300])
def test_a_target_that_no_calendar_has_keeps_its_duration(value: float) -> None:
    target = {"measure": {"text": "Walk"}, "dueDuration": {"value": value, "code": "a"}}
    goal = accepted_goal({"resourceType": "Goal", "target": [target]}, "g", NOW)
    assert goal["target"] == [target]


@pytest.mark.parametrize("value", [{"valueInteger": 3}, {"valueReference": {"reference": "ActivityDefinition/a"}}])
def test_an_activity_says_nothing_of_its_definition_in_another_type(value: Resource) -> None:
    activity = {"extension": [{"url": INSTANTIATES, **value}], "reference": {"display": "Yoga"}}
    assert not going_on({"activity": [activity]}, "https://example.org/yoga")
