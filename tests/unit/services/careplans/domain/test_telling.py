"""What changed, in a line for people, and who did it."""

from typing import Any

import pytest

from services.careplans.domain.accounts import SERVER, UNKNOWN, Account, accounts_in
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE
from services.careplans.domain.merging import Difference, differences
from services.careplans.domain.places import activities_by_place
from services.careplans.domain.telling import line, title_of
from services.careplans.domain.versions import Version, changes
from shared import provenance
from shared.security.caller import Caller, Discipline, Role

PLAN: dict[str, Any] = {
    "resourceType": "CarePlan",
    "id": "p",
    "activity": [
        {
            "id": "it's",
            "extension": [{"url": ACTIVITY_DISCIPLINE, "valueCode": "occupational-therapy"}],
            "detail": {"status": "scheduled", "code": {"text": "Graded exercise"}},
        }
    ],
}
ACTIVITIES = activities_by_place(PLAN)
WALK = "CarePlan.activity.where(id='it\\'s')"


@pytest.mark.parametrize(
    ("account", "name"),
    [
        (Account(discipline="physical-therapy", role="clinician"), "Physical therapy"),
        (Account(discipline="pain-medicine", role="clinician"), "Pain medicine"),
        (Account(role="clinician"), "Occupational therapy"),
        (Account(role="coordinator"), "A coordinator"),
        (Account(role="patient"), "The patient"),
        (Account(role="system"), "The system"),
        (UNKNOWN, "Somebody"),
    ],
)
def test_who(account: Account, name: str) -> None:
    change = Difference(f"{WALK}.detail.status", "scheduled", "on-hold")
    assert line(change, account, ACTIVITIES) == f"{name} changed detail.status of the activity “Graded exercise”"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Difference(WALK, None, {"id": "it's"}), "Somebody added the activity “Graded exercise”"),
        (Difference(WALK, {"id": "it's"}, None), "Somebody removed the activity “Graded exercise”"),
        (Difference("CarePlan.activity", ["a", "b"], ["b", "a"]), "Somebody changed the order of the activities"),
        (Difference("CarePlan.activity.where(id='gone')", {}, None), "Somebody removed an activity"),
        (Difference("CarePlan.activity.where(id='gone').x", 1, 2), "Somebody changed an activity"),
        (Difference("CarePlan.note", None, {"text": "x"}), "Somebody added a note"),
        (Difference("CarePlan.title", "x", "y"), "Somebody changed the title"),
    ],
)
def test_what(change: Difference, told: str) -> None:
    assert line(change, UNKNOWN, ACTIVITIES) == told


def test_why() -> None:
    change = Difference("CarePlan.title", "x", "y")
    assert (
        line(change, Account(role="patient", reason=" it hurts ")) == "The patient changed the title because: it hurts"
    )


@pytest.mark.parametrize(
    ("activity", "title"),
    [
        ({"id": "1", "detail": {"code": {"text": "Walk"}, "description": "x"}}, "Walk"),
        ({"id": "1", "detail": {"code": {"coding": [{"code": "1"}, {"display": "Walking"}]}}}, "Walking"),
        ({"id": "1", "detail": {"description": "Walk daily"}}, "Walk daily"),
        ({"id": "1", "detail": {"description": "x" * 100}}, "x" * 79 + "…"),
        ({"id": "1", "reference": {"reference": "Task/t", "display": "To the clinic"}}, "To the clinic"),
        ({"id": "1", "reference": {"reference": "Task/t"}}, None),
        ({"detail": {"status": "scheduled"}}, None),
    ],
)
def test_the_title_of_an_activity(activity: dict[str, Any], title: str | None) -> None:
    assert title_of(activity) == title


def test_the_server_says_who_and_the_client_why() -> None:
    caller = Caller("pt", Role.CLINICIAN, Discipline.PHYSICAL_THERAPY, "Practitioner/pt")
    target = [{"reference": "CarePlan/p/_history/3"}]
    own: dict[str, Any] = {"meta": {"source": SERVER}, "target": target, "agent": [provenance.agent(caller)]}
    sent = {
        "target": target,
        "agent": [{"who": {"display": "me"}}],
        "reason": [{"coding": [{"code": "x"}]}, {"text": "y"}],
    }
    expected = Account({"reference": "Practitioner/pt"}, "clinician", "physical-therapy", "y")
    for order in ([own, sent], [sent, own]):
        assert accounts_in(order) == {"CarePlan/p/_history/3": expected}
    assert accounts_in([sent])["CarePlan/p/_history/3"] == Account(reason="y")
    assert accounts_in([own | {"reason": [{"text": "z"}]}, sent])["CarePlan/p/_history/3"].reason == "z"
    assert accounts_in([{}, {"target": [{}]}, {"agent": []}]) == {}
    assert provenance.SOURCE == SERVER


def _version(number: int, plan: dict[str, Any] | None) -> Version:
    return Version(number, "2026-01-01T00:00:00Z", plan, Account(role="system", reason=str(number)))


def test_a_version_that_changed_what_an_element_is_in_changed_it() -> None:
    bare, walk = PLAN | {"activity": []}, PLAN["activity"][0]
    held = PLAN | {"activity": [walk | {"detail": walk["detail"] | {"status": "on-hold"}}]}
    (added,) = changes(bare, held, [_version(1, bare), _version(2, PLAN), _version(3, held)])
    assert [version.number for version in added.versions] == [2, 3]
    (status,) = changes(PLAN, held, [_version(2, PLAN), _version(3, bare), _version(4, held)])
    assert [version.number for version in status.versions] == [3, 4]
    assert [each.path for each in differences(PLAN, held)] == [f"{WALK}.detail.status"]


def test_a_new_order_is_no_change_of_the_activities() -> None:
    other = {"id": "other", "detail": {"status": "scheduled"}}
    first = PLAN | {"activity": [*PLAN["activity"], other]}
    turned = PLAN | {"activity": first["activity"][::-1]}
    last = PLAN | {"activity": [other | {"detail": {"status": "on-hold"}}, *PLAN["activity"]]}
    found = changes(first, last, [_version(1, first), _version(2, turned), _version(3, last)])
    assert [(each.difference.path, [v.number for v in each.versions]) for each in found] == [
        ("CarePlan.activity", [2]),
        ("CarePlan.activity.where(id='other').detail.status", [3]),
    ]


def test_a_deletion_between_them_is_passed_over() -> None:
    (change,) = changes(
        PLAN, PLAN | {"title": "x"}, [_version(1, PLAN), _version(2, None), _version(3, PLAN | {"title": "x"})]
    )
    assert [version.number for version in change.versions] == [3]
