"""Metric names and labels as the collector's Prometheus exporter writes them, and as PromQL asks for them.

The rules of the exporter: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from opentelemetry.sdk.metrics.export import Histogram, Metric, Sum

UNITS = {"s": "seconds", "By": "bytes", "ms": "milliseconds"}
FROM_RESOURCE = {"job", "instance"}
"""Every series has them: ``service.namespace/service.name`` and ``service.instance.id``."""

Produced = Mapping[str, Mapping[str, set[str]]]
"""Series name -> label -> values that were seen."""


@dataclass(frozen=True)
class Selector:
    """One selector in an expression: the series, and (label, operator, value)."""

    series: str
    matchers: tuple[tuple[str, str, str], ...]


def produced(metrics: Iterable[Metric]) -> Produced:
    """What Prometheus would scrape of ``metrics``."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for metric in metrics:
        for series in _series(metric):
            for point in metric.data.data_points:
                for label, value in (point.attributes or {}).items():
                    found[series][_plain(label)].add(str(value))
            if series.endswith("_bucket"):
                bounds = metric.data.data_points[0].explicit_bounds  # type: ignore[union-attr]  # a histogram's
                found[series]["le"] |= {f"{bound:g}" for bound in bounds}
            found[series]["job"], found[series]["instance"] = set(), set()
    return found


def _series(metric: Metric) -> list[str]:
    name = _plain(metric.name)
    unit = UNITS.get(metric.unit or "", "")
    if metric.unit and not unit and not metric.unit.startswith("{"):
        raise AssertionError(f"{metric.name}: say here how the exporter writes {metric.unit}")
    name += f"_{unit}" if unit and not name.endswith(f"_{unit}") else ""
    if isinstance(metric.data, Histogram):
        return [f"{name}_bucket", f"{name}_sum", f"{name}_count"]
    return [f"{name}_total" if isinstance(metric.data, Sum) and metric.data.is_monotonic else name]


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_:]", "_", name)


_NOT_SERIES = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\})?")
_MATCHER = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*\"((?:[^\"\\]|\\.)*)\"")


def selectors(expression: str) -> Iterator[Selector]:
    """What ``expression`` asks for."""
    text = _GROUPING.sub(" ", expression)
    text = re.sub(r"\[[^\]]*\]", " ", text)
    for match in _SELECTOR.finditer(text):
        name, rest = match.group(1), text[match.end(1) :].lstrip()
        if name.lower() in _NOT_SERIES or rest.startswith("(") or text[match.start() - 1 : match.start()].isdigit():
            continue
        yield Selector(name, tuple(_MATCHER.findall(match.group(3) or "")))


def grouped(expression: str) -> set[str]:
    """The labels that ``expression`` groups or joins by."""
    return {
        label.strip() for _, labels in _GROUPING.findall(expression) for label in labels.split(",") if label.strip()
    }


def faults(expression: str, known: Produced) -> Iterator[str]:
    """What ``expression`` asks for that is not in ``known``."""
    labels: set[str] = set()
    for selector in selectors(expression):
        if selector.series not in known:
            yield f"no series {selector.series}"
            continue
        values = known[selector.series]
        labels |= values.keys()
        for label, operator, value in selector.matchers:
            if label not in values:
                yield f"{selector.series} has no label {label}"
            elif values[label] and not value.startswith("$") and operator in ("=", "=~"):
                wanted = re.compile(re.escape(value) if operator == "=" else value.replace("\\\\", "\\"))
                if not any(wanted.fullmatch(one) for one in values[label]):
                    yield f"{selector.series} is never {label}{operator}{value!r}"
    yield from (f"no label {label} to group by in {expression!r}" for label in sorted(grouped(expression) - labels))
