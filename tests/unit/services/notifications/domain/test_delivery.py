"""What becomes of a delivery after an attempt."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.domain.delivery import (
    DELAYS,
    DELIVERED,
    LEASE,
    Letter,
    Next,
    Outcome,
    Reason,
    Status,
    Verdict,
    after_attempt,
)
from services.notifications.settings import NotificationSettings

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
RETRY = Outcome(Verdict.RETRY, Reason.TIMEOUT)


def test_pauses_grow() -> None:
    assert list(DELAYS) == sorted(DELAYS)
    assert DELAYS[-1] > DELAYS[0]


@pytest.mark.parametrize(("attempts", "delay"), list(enumerate(DELAYS, start=1)))
def test_a_failed_attempt_is_tried_again_after_its_pause(attempts: int, delay: timedelta) -> None:
    assert after_attempt(RETRY, attempts=attempts, now=NOW) == Next(Status.PENDING, NOW + delay)


def test_after_the_last_pause_a_delivery_has_failed() -> None:
    assert after_attempt(RETRY, attempts=len(DELAYS) + 1, now=NOW) == Next(Status.FAILED)


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.GONE])
def test_what_cannot_be_helped_by_trying_again_has_failed_at_once(verdict: Verdict) -> None:
    assert after_attempt(Outcome(verdict, Reason.GONE), attempts=1, now=NOW) == Next(Status.FAILED)


def test_a_success_is_a_success_at_any_attempt() -> None:
    assert after_attempt(DELIVERED, attempts=99, now=NOW) == Next(Status.DELIVERED)


def test_no_attempt_outlives_its_lease() -> None:
    longest = NotificationSettings.model_fields["channel_timeout"].metadata
    assert LEASE.total_seconds() >= 2 * max(getattr(limit, "le", 0) for limit in longest)


def test_a_letter_does_not_show_where_it_goes() -> None:
    letter = Letter("d1", "e1", "t", "Communication/c1", "the text", "Task/t", NOW, "me@example.org", "whsec_x")
    assert repr(letter) == "Letter(d1)"
