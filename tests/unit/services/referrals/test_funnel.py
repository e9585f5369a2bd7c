"""The referral funnel: what was committed is counted by step and discipline."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.referrals.app.funnel import ELAPSED, STEPS, observe
from shared.telemetry.instruments import Instrument
from tests.factories.referrals import OWNER, task
from tests.unit.services.referrals.deciding import decide_task


def told(instrument: Instrument, step: str) -> Any:
    """The value, or count, for mental health."""
    metric = instrument.metric()
    for point in metric.data.data_points if metric else ():
        if point.attributes == {"step": step, "discipline": "mental-health"}:
            return getattr(point, "count", getattr(point, "value", None))
    return 0


@pytest.mark.parametrize("asked", [datetime.now(UTC) - timedelta(days=3), None])
def test_a_step_is_counted_and_its_time_since_the_request(asked: datetime | None) -> None:
    before = told(STEPS, "accepted"), told(ELAPSED, "accepted")
    when = {"authoredOn": asked.isoformat()} if asked else {"authoredOn": "2016-12-31T23:59:60Z"}
    decision = decide_task(task("received", "2.0", **when), task("accepted", "3.0", **when), OWNER)
    observe(decision.facts)
    assert (told(STEPS, "accepted"), told(ELAPSED, "accepted")) == (before[0] + 1, before[1] + bool(asked))


def test_a_fact_of_another_domain_is_not_counted() -> None:
    before = STEPS.metric()
    observe([object()])
    after = STEPS.metric()
    assert before is not None
    assert after is not None
    assert [point.value for point in before.data.data_points] == [point.value for point in after.data.data_points]  # type: ignore[union-attr]  # numbers


def test_every_step_is_there_at_nought() -> None:
    metric = STEPS.metric()
    assert metric is not None
    found = {(point.attributes or {})["step"] for point in metric.data.data_points}
    assert {"requested", "accepted", "completed", "no-show"} <= found
