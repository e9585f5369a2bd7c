"""Counters, levels and histograms that cost a microsecond, in the shapes that the SDK's exporters take.

The SDK's own ``add`` and ``record`` take ten times as long. An instrument belongs to the process; its labels are codes
and names of ours. One thread adds, another may read. Values are cumulative and every process has its own
``service.instance.id``, so sums over processes are right (https://opentelemetry.io/docs/specs/otel/metrics/data-model/).
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from opentelemetry.trace import SpanContext

BOUNDS_S: tuple[float, ...] = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Labels = tuple[str | int, ...]


class Instrument(Protocol):
    """What an exporter asks."""

    name: str

    def metric(self) -> Metric | None:
        """Everything up to now; None while there is nothing."""


T = TypeVar("T", bound=Instrument)

REGISTERED: dict[str, Instrument] = {}
"""All instruments of the process, by name."""


class Counts:
    """How often something happened."""

    def __init__(self, name: str, description: str, *labels: str, unit: str = "{event}") -> None:
        self.name = name
        self._description, self._labels, self._unit = description, labels, unit
        self._values: dict[Labels, float] = {}
        self._since_ns = time.time_ns()

    def add(self, *values: str | int, by: float = 1) -> None:
        """It happened, with these labels."""
        self._values[values] = self._values.get(values, 0) + by

    def expect(self, *values: str | int) -> None:
        """It may happen: a series that begins at nought shows its first event as an increase."""
        self._values.setdefault(values, 0)

    def set(self, total: float, *values: str | int) -> None:
        """For totals that somebody else counts."""
        self._values[values] = total

    def metric(self) -> Metric | None:
        """See ``Instrument``."""
        points = _numbers(self._labels, self._values, self._since_ns)
        data = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True)
        return Metric(self.name, self._description, self._unit, data) if points else None


class Levels:
    """How much there is of something now."""

    def __init__(self, name: str, description: str, *labels: str, unit: str) -> None:
        self.name = name
        self._description, self._labels, self._unit = description, labels, unit
        self._values: dict[Labels, float] = {}

    def set(self, value: float, *values: str | int) -> None:
        """The level from now on."""
        self._values[values] = value

    def metric(self) -> Metric | None:
        """See ``Instrument``."""
        points = _numbers(self._labels, self._values, None)
        return Metric(self.name, self._description, self._unit, Gauge(points)) if points else None


class _Cell:
    __slots__ = ("buckets", "exemplars", "largest", "smallest", "total")

    def __init__(self, buckets: int) -> None:
        self.buckets = [0] * buckets
        self.total = 0.0
        self.smallest, self.largest = float("inf"), 0.0
        self.exemplars: dict[int, Exemplar] = {}


class Timings:
    """How long something took, in seconds."""

    def __init__(self, name: str, description: str, *labels: str, bounds: tuple[float, ...] = BOUNDS_S) -> None:
        self.name = name
        self._description, self._labels, self._bounds = description, labels, bounds
        self._cells: dict[Labels, _Cell] = {}
        self._since_ns = time.time_ns()

    def add(self, seconds: float, *values: str | int, trace: SpanContext | None = None) -> None:
        """It took so long, with these labels; ``trace`` is one that was recorded, and stands as the example."""
        cell = self._cells.get(values)
        if cell is None:
            cell = self._cells[values] = _Cell(len(self._bounds) + 1)
        bucket = bisect_left(self._bounds, seconds)
        cell.buckets[bucket] += 1
        cell.total += seconds
        if seconds > cell.largest:
            cell.largest = seconds
        if seconds < cell.smallest:
            cell.smallest = seconds
        if trace is not None:
            cell.exemplars[bucket] = Exemplar({}, seconds, time.time_ns(), trace.span_id, trace.trace_id)

    def expect(self, *values: str | int) -> None:
        """See ``Counts.expect``."""
        self._cells.setdefault(values, _Cell(len(self._bounds) + 1))

    def metric(self) -> Metric | None:
        """See ``Instrument``."""
        points = self.points()
        data = Histogram(points, AggregationTemporality.CUMULATIVE)
        return Metric(self.name, self._description, "s", data) if points else None

    def points(self) -> list[HistogramDataPoint]:
        """What was added up to now; each example is told once."""
        now_ns = time.time_ns()
        return [
            HistogramDataPoint(
                attributes=self._attributes(values),
                start_time_unix_nano=self._since_ns,
                time_unix_nano=now_ns,
                count=(count := sum(buckets := list(cell.buckets))),
                sum=cell.total,
                bucket_counts=buckets,
                explicit_bounds=self._bounds,
                min=cell.smallest if count else 0.0,
                max=cell.largest,
                exemplars=_taken(cell),
            )
            for values, cell in list(self._cells.items())
        ]

    def _attributes(self, values: Labels) -> Mapping[str, Any]:
        return dict(zip(self._labels, values, strict=True))


def counts(name: str, description: str, *labels: str, unit: str = "{event}") -> Counts:
    """A registered counter. Raises ``ValueError`` for a name that is taken."""
    return _registered(Counts(name, description, *labels, unit=unit))


def levels(name: str, description: str, *labels: str, unit: str) -> Levels:
    """A registered gauge. Raises ``ValueError`` for a name that is taken."""
    return _registered(Levels(name, description, *labels, unit=unit))


def timings(name: str, description: str, *labels: str, bounds: tuple[float, ...] = BOUNDS_S) -> Timings:
    """A registered histogram. Raises ``ValueError`` for a name that is taken."""
    return _registered(Timings(name, description, *labels, bounds=bounds))


def collected(instruments: Iterable[Instrument]) -> list[Metric]:
    """What ``instruments`` hold."""
    return [metric for instrument in instruments if (metric := instrument.metric()) is not None]


def _registered(instrument: T) -> T:
    if instrument.name in REGISTERED:
        raise ValueError(f"two instruments are called {instrument.name}")
    REGISTERED[instrument.name] = instrument
    return instrument


def _numbers(names: Sequence[str], values: Mapping[Labels, float], since_ns: int | None) -> list[NumberDataPoint]:
    now_ns = time.time_ns()
    return [
        NumberDataPoint(dict(zip(names, labels, strict=True)), since_ns or now_ns, now_ns, value)
        for labels, value in list(values.items())
    ]


def _taken(cell: _Cell) -> list[Exemplar]:
    exemplars, cell.exemplars = cell.exemplars, {}
    return list(exemplars.values())
