"""How old a replica is at most, from what its primary wrote when."""

import pytest

from shared.store.trail import Trail

UNKNOWN = float("-inf")


@pytest.mark.parametrize("lag", [0, 1, 255, 300, 3599])
def test_a_replica_that_lags_within_the_bound_is_known_to_however_wide_that_is(lag: int) -> None:
    trail = Trail(reach_s=3600, every_s=1)
    for second in range(8000):
        trail.add(second, second * 10)
    assert trail.as_of(79990 - lag * 10) == 7999 - lag


def test_nothing_is_said_of_what_was_replayed_before_anybody_asked() -> None:
    trail = Trail(reach_s=5, every_s=1)
    assert trail.as_of(100) == UNKNOWN
    trail.add(1, 101)
    assert trail.as_of(100) == UNKNOWN
    assert trail.as_of(101) == 1
