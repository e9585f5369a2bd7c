"""The table from Task to activity status, and the merging of events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.referral import Referral, merge, shows_acceptance
from tests.unit.services.careplans.domain.referrals import Told, moment, witnessed


@pytest.mark.parametrize(
    ("status", "business_status", "activity"),
    [
        ("requested", None, "not-started"),
        ("received", "2.0", "not-started"),
        ("accepted", "3.0", "not-started"),
        ("in-progress", None, "in-progress"),
        ("in-progress", "5.1", "in-progress"),
        ("in-progress", "5.1.1", "scheduled"),
        ("in-progress", "5.1.2", "not-started"),
        ("in-progress", "5.1.3", "not-started"),
        ("in-progress", "5.1.4", "in-progress"),
        ("in-progress", "5.2", "on-hold"),
        ("on-hold", None, "on-hold"),
        ("completed", "7.0", "completed"),
        ("rejected", "4.0", "cancelled"),
        ("cancelled", "6.0", "cancelled"),
        ("failed", None, "stopped"),
        ("entered-in-error", None, "entered-in-error"),
        ("something-new", None, "unknown"),
    ],
)
def test_the_activity_status_follows_the_task(status: str, business_status: str | None, activity: str) -> None:
    assert Referral("Task/t", 1, "Patient/p", status, business_status).activity_status == activity


@pytest.mark.parametrize(
    ("status", "business_status", "previous", "accepted"),
    [
        ("received", "2.0", "draft", False),
        ("accepted", "3.0", "received", True),
        ("in-progress", "5.2", "received", False),
        ("in-progress", "5.2", "accepted", True),
        ("in-progress", "5.1.1", None, True),
        ("completed", "7.0", None, True),
        ("cancelled", "6.0", "in-progress", False),
        ("cancelled", None, "accepted", True),
        ("rejected", "4.0", "received", False),
    ],
)
def test_acceptance_is_only_what_is_proven(
    status: str, business_status: str | None, previous: str | None, accepted: bool
) -> None:
    assert shows_acceptance(status, business_status, previous) is accepted


def test_an_older_version_changes_nothing_but_the_moment_of_acceptance() -> None:
    latest = witnessed(Told(5, "cancelled", "6.0"))
    merged = merge(latest, witnessed(Told(2, "accepted", "3.0", owner="Organization/other")))
    assert merged.status == "cancelled"
    assert merged.owner == "Organization/clinic"
    assert (merged.accepted_at, merged.ended_at) == (moment(2), moment(5))


STATES = [("received", "2.0"), ("accepted", "3.0"), ("in-progress", "5.2"), ("cancelled", "6.0"), ("completed", "7.0")]
told = st.builds(
    lambda version, state: witnessed(Told(version, *state)), version=st.integers(1, 6), state=st.sampled_from(STATES)
)
one_history = st.lists(told, min_size=3, max_size=3, unique_by=lambda referral: referral.version)


@given(one_history)
def test_merging_is_commutative_associative_and_idempotent(three: list[Referral]) -> None:
    a, b, c = three
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a
