"""Who takes part in a patient's care by a referral."""

import pytest

from services.notifications.domain.team import MEMBERS, Referral

R4_TASK_STATUSES = [
    "draft",
    "requested",
    "received",
    "accepted",
    "rejected",
    "ready",
    "cancelled",
    "in-progress",
    "on-hold",
    "failed",
    "completed",
    "entered-in-error",
]
"""http://hl7.org/fhir/R4/valueset-task-status.html"""


@pytest.mark.parametrize("status", R4_TASK_STATUSES)
def test_only_parties_to_a_living_referral_take_part(status: str) -> None:
    referral = Referral("Task/t", 1, status, requester="Practitioner/a", owner="Practitioner/b")
    assert set(referral.members) <= set(referral.parties)
    assert bool(referral.members) is (status in MEMBERS)


def test_an_owner_takes_part_from_the_acceptance_on() -> None:
    asked = Referral("Task/t", 1, "requested", requester="Practitioner/a", owner="Practitioner/b")
    accepted = Referral("Task/t", 2, "accepted", requester="Practitioner/a", owner="Practitioner/b")
    assert asked.members == ("Practitioner/a",)
    assert accepted.members == ("Practitioner/a", "Practitioner/b")


def test_all_named_statuses_are_r4_statuses() -> None:
    assert set(MEMBERS) <= set(R4_TASK_STATUSES)
