"""When the other side is asked again, and when that is given up: delays as data."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Trouble(StrEnum):
    """Why an exchange does not get on. Codes only: what the other side answers may contain anything."""

    CONNECTION = "connection-failed"
    TIMEOUT = "timeout"
    EGRESS = "address-not-allowed"
    NO_PARTNER = "partner-unknown"
    CREDENTIALS = "credentials-refused"
    REFUSED = "refused"
    CHANGED = "changed-meanwhile"
    HTTP_STATUS = "http-status"
    REDIRECT = "redirect"
    TOO_LARGE = "answer-too-large"
    NOT_FHIR = "answer-not-fhir"
    NOT_VALID = "answer-breaks-a-rule"
    SEVERAL = "several-match"
    GONE = "gone-there"
    AHEAD = "ahead-of-the-other-side"
    """Not a failure: what was written down here, the other side has yet to say."""
    LOST = "worker-lost"


HOPELESS = frozenset({Trouble.EGRESS, Trouble.NO_PARTNER, Trouble.SEVERAL, Trouble.REFUSED})
"""Before anything was stored there, trying again cannot help: somebody has to change something."""


def _spans(**spans: Sequence[float]) -> tuple[timedelta, ...]:
    return tuple(timedelta(**{unit: value}) for unit, values in spans.items() for value in values)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long to wait for what; the last delay of each holds for all that follow."""

    retries: tuple[timedelta, ...] = _spans(seconds=(5, 30), minutes=(2, 10, 30, 60))
    """After each failed attempt."""
    looks: tuple[timedelta, ...] = _spans(seconds=(15, 30), minutes=(1, 2, 5, 10, 15))
    """After each look that found nothing new; one that did begins anew."""
    afterwards: tuple[timedelta, ...] = _spans(hours=(1,), days=(1, 7))
    """Looks at a referral that has ended: a report, or a correction, may still come. Then no more."""
    patience: timedelta = timedelta(hours=24)
    """For how long nothing may succeed until it is given up."""
    spread: float = 0.2
    """By which part a delay is longer or shorter, so that not everybody comes at once."""


def after_trouble(
    trouble: Trouble, failures: int, failing_since: datetime, now: datetime, delays: Delays, *, stored_there: bool
) -> datetime | None:
    """When to try again after ``failures`` in a row, the first at ``failing_since``; None: it is given up."""
    hopeless = trouble in HOPELESS and not stored_there
    if hopeless or now - failing_since >= delays.patience:
        return None
    return now + _spread(_nth(delays.retries, failures - 1), delays)


def after_look(looks: int, now: datetime, delays: Delays, *, ended: bool) -> datetime | None:
    """When to look again after ``looks`` in a row that found nothing new; None: never."""
    if ended:
        return now + _spread(delays.afterwards[looks], delays) if looks < len(delays.afterwards) else None
    return now + _spread(_nth(delays.looks, looks), delays)


def _nth(spans: Sequence[timedelta], number: int) -> timedelta:
    return spans[min(number, len(spans) - 1)]


def _spread(span: timedelta, delays: Delays) -> timedelta:
    return span * random.uniform(1 - delays.spread, 1 + delays.spread)
