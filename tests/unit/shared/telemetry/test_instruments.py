"""Our own counters, levels and histograms: right figures in the shapes that the exporters take."""

import pytest
from opentelemetry.sdk.metrics.export import Gauge, Histogram, Sum
from opentelemetry.trace import SpanContext

from shared.telemetry import measures
from shared.telemetry.instruments import REGISTERED, Counts, Levels, Timings, counts


def test_a_counter_is_a_cumulative_sum_by_label() -> None:
    counter = Counts("x.events", "X.", "queue", "outcome")
    counter.expect("a", "dead")
    counter.add("a", "retry")
    counter.add("a", "retry", by=2)
    metric = counter.metric()
    assert metric is not None
    assert isinstance(metric.data, Sum)
    assert metric.data.is_monotonic
    found = {tuple((point.attributes or {}).values()): point.value for point in metric.data.data_points}
    assert found == {("a", "dead"): 0, ("a", "retry"): 3}


def test_a_level_is_what_was_set_last() -> None:
    level = Levels("x.level", "X.", "check", unit="1")
    assert level.metric() is None
    level.set(1, "database")
    level.set(0, "database")
    metric = level.metric()
    assert metric is not None
    assert isinstance(metric.data, Gauge)
    assert [(point.attributes, point.value) for point in metric.data.data_points] == [({"check": "database"}, 0)]


def test_a_histogram_counts_into_its_buckets() -> None:
    timings = Timings("x.seconds", "X.", "queue", bounds=(0.1, 1.0))
    timings.expect("quiet")
    for seconds in (0.05, 0.1, 0.5, 7.0):
        timings.add(seconds, "busy")
    metric = timings.metric()
    assert metric is not None
    assert isinstance(metric.data, Histogram)
    quiet, busy = metric.data.data_points
    assert (quiet.count, quiet.min, quiet.max) == (0, 0, 0)
    assert (busy.count, list(busy.bucket_counts), busy.min, busy.max) == (4, [2, 1, 1], 0.05, 7.0)
    assert busy.sum == pytest.approx(7.65)


def test_a_recorded_trace_is_the_example_of_its_bucket_and_told_once() -> None:
    timings = Timings("x.seconds", "X.", bounds=(0.1, 1.0))
    timings.add(0.5, trace=SpanContext(7, 8, is_remote=False))
    timings.add(0.6, trace=SpanContext(9, 10, is_remote=False))
    timings.add(0.7)
    (point,) = timings.points()
    assert [(one.trace_id, one.span_id, one.value) for one in point.exemplars] == [(9, 10, 0.6)]
    assert not timings.points()[0].exemplars


def test_a_name_is_taken_once() -> None:
    assert REGISTERED[measures.HANDLED.name] is measures.HANDLED
    with pytest.raises(ValueError, match="two instruments"):
        counts(measures.HANDLED.name, "Again.")
