"""When the other side is asked again."""

from datetime import UTC, datetime, timedelta

import pytest

from services.referrals.domain.exchange_pace import HOPELESS, Delays, Trouble, after_look, after_trouble

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
EXACT = Delays(spread=0)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 30), (3, 120), (6, 3600), (60, 3600)])
def test_each_failure_is_followed_by_a_longer_wait_up_to_the_last(failures: int, seconds: int) -> None:
    found = after_trouble(Trouble.TIMEOUT, failures, NOW, NOW, EXACT, stored_there=False)
    assert found == NOW + timedelta(seconds=seconds)


def test_patience_ends() -> None:
    since = NOW - EXACT.patience
    assert after_trouble(Trouble.TIMEOUT, 9, since, NOW, EXACT, stored_there=True) is None
    assert after_trouble(Trouble.TIMEOUT, 9, since + timedelta(seconds=1), NOW, EXACT, stored_there=True) is not None


@pytest.mark.parametrize("trouble", Trouble)
def test_what_cannot_get_better_by_itself_is_given_up_unless_the_other_side_has_it_already(trouble: Trouble) -> None:
    assert (after_trouble(trouble, 1, NOW, NOW, EXACT, stored_there=False) is None) == (trouble in HOPELESS)
    assert after_trouble(trouble, 1, NOW, NOW, EXACT, stored_there=True) is not None


def test_looks_grow_apart_and_end_some_time_after_the_referral() -> None:
    open_ones = [after_look(number, NOW, EXACT, ended=False) for number in range(20)]
    assert open_ones == sorted(one for one in open_ones if one is not None)
    assert open_ones[-1] == NOW + timedelta(minutes=15)
    ended = [after_look(number, NOW, EXACT, ended=True) for number in range(4)]
    assert ended == [NOW + timedelta(hours=1), NOW + timedelta(days=1), NOW + timedelta(days=7), None]


def test_a_wait_is_spread_so_that_not_everybody_comes_at_once() -> None:
    found = {after_look(0, NOW, Delays(), ended=False) for _ in range(50)}
    assert len(found) > 40
    low, high = NOW + timedelta(seconds=12), NOW + timedelta(seconds=18)
    assert all(one is not None and low <= one <= high for one in found)
