"""A dashboard as its questions, and as the file that Grafana takes.

Grafana's files say for every panel where it stands and how it looks; here a panel is its question
(https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/).
"""

from dataclasses import dataclass
from typing import Any

PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT = 8, 8
"""Of a panel, in Grafana's grid of 24 columns."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question: ``queries`` are pairs of legend and PromQL."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    about: str = ""
    kind: str = "timeseries"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page. ``variable`` is a label to choose values of, with the series that has it."""

    uid: str
    title: str
    panels: tuple[Panel, ...]
    variable: tuple[str, str] | None = None


def document(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana takes it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["consilium"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_variable(*dashboard.variable)] if dashboard.variable else []},
        "links": [
            {"type": "dashboards", "tags": ["consilium"], "asDropdown": True, "title": "Consilium", "keepTime": True}
        ],
        "panels": [_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }


def _variable(label: str, series: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": PROMETHEUS,
        "query": f"label_values({series}, {label})",
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    column, row = number % (24 // WIDTH), number // (24 // WIDTH)
    instant = panel.kind != "timeseries"
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.about,
        "type": panel.kind,
        "datasource": PROMETHEUS,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": PROMETHEUS,
                "expr": query,
                "legendFormat": legend,
                "instant": instant,
                # only what reads a histogram has examples
                "exemplar": "_bucket" in query and not instant,
            }
            for place, (legend, query) in enumerate(panel.queries)
        ],
    }
