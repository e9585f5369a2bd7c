"""How old a replica is at most, from what its primary wrote when."""

import pytest

from shared.store.trail import Trail

UNKNOWN = float("-inf")


@pytest.mark.parametrize("lag", [0, 1, 255, 300, 3599])
def test_a_replica_that_lags_within_the_bound_is_known_to_however_wide_that_is(lag: int) -> None:
    trail = Trail(reach_s=3600, every_s=1)
    for second in range(8000):
        trail.add(second, second * 10, 1)
    assert trail.as_of(79990 - lag * 10) == 7999 - lag


def test_nothing_is_said_of_what_was_replayed_before_anybody_asked() -> None:
    trail = Trail(reach_s=5, every_s=1)
    assert trail.as_of(100) == UNKNOWN
    trail.add(1, 101, 1)
    assert trail.as_of(100) == UNKNOWN
    assert trail.as_of(101) == 1


def test_after_a_failover_positions_of_the_old_primary_say_nothing() -> None:
    trail = Trail(reach_s=5, every_s=1)
    assert trail.add(1, 100, 1)
    assert not trail.add(2, 110, 1)
    assert trail.add(3, 105, 2)
    assert trail.as_of(104) == UNKNOWN, "it may be of the old primary's, for which 100 was a second ago"
    assert trail.as_of(105) == 3


def test_a_replica_that_was_ahead_is_believed_when_it_goes_on_or_was_made_anew() -> None:
    trail = Trail(reach_s=60, every_s=1)
    trail.add(1, 100, 2)
    assert not trail.undone(100, 1, 100), "a sound one may tell of a failover minutes later"
    assert trail.undone(110, 1, 100)
    assert trail.undone(120, 1, 110), "it goes on with what it had received"
    assert trail.undone(120, 1, 500), "the primary passed it, and it stays where it was"
    assert not trail.undone(121, 1, 500)
    assert trail.undone(510, 1, 500)
    assert not trail.undone(400, 2, 500), "made anew: it is further back, on the primary's timeline"
