"""Writes ``deploy/observability/alerts/slo.yaml``: how fast the objectives of docs/slo.md lose their budgets.

Multiwindow, multi-burn-rate alerts (https://sre.google/workbook/alerting-on-slos/, table 5-8) from one table of
objectives, because every objective needs the same five recordings and two alerts.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TARGET = Path(__file__).parents[1] / "deploy" / "observability" / "alerts" / "slo.yaml"

WINDOWS = ("5m", "30m", "1h", "6h", "3d")
PAGE = ((14.4, "1h", "5m"), (6, "6h", "30m"))
"""Burn rate, long window, short window: 2 % of 30 days' budget in an hour, 5 % in six."""
TICKET = ((1, "3d", "6h"),)
"""10 % in three days."""
FEWEST = 0.01
"""Events per second (36 an hour) below which one failure says nothing."""


@dataclass(frozen=True, slots=True)
class Slo:
    """One objective. In ``total`` and ``good`` or ``bad``, ``WINDOW`` stands for the range."""

    name: str
    alert: str
    objective: float
    by: str
    total: str
    bad: str
    summary: str


ASKED = 'http_route!~"/health/.*"'
_SECONDS = "http_server_request_duration_seconds"
REQUESTS = f"sum by (job) (rate({_SECONDS}_count{{{ASKED}}}[WINDOW]))"
FAILED = f'sum by (job) (rate({_SECONDS}_count{{{ASKED}, http_response_status_code=~"5.."}}[WINDOW]))'
FAST = f'sum by (job) (rate({_SECONDS}_bucket{{{ASKED}, le="0.5"}}[WINDOW]))'
EVENTS = "sum by (queue) (rate(consilium_event_age_seconds_count[WINDOW]))"
# OpenMetrics writes whole bounds as 5.0, the older text format as 5
FRESH = 'sum by (queue) (rate(consilium_event_age_seconds_bucket{le=~"5(\\\\.0)?"}[WINDOW]))'
ENDED = "sum by (channel) (rate(consilium_delivery_settled_total[WINDOW]))"
IN_TIME = 'sum by (channel) (rate(consilium_delivery_delay_seconds_bucket{le=~"300(\\\\.0)?"}[WINDOW]))'

SLOS = (
    Slo(
        "api-availability", "ApiAvailabilityBurn", 0.999, "job", REQUESTS, f"({FAILED} or 0 * {REQUESTS})",
        "{{ $labels.job }} answers too many requests with 5xx",
    ),
    Slo(
        "api-latency", "ApiLatencyBurn", 0.99, "job", REQUESTS, f"({REQUESTS} - {FAST})",
        "{{ $labels.job }} answers too many requests later than 0.5 s",
    ),
    Slo(
        "event-freshness", "EventFreshnessBurn", 0.995, "queue", EVENTS, f"({EVENTS} - {FRESH})",
        "Too many events reach the consumer of {{ $labels.queue }} later than 5 s",
    ),
    Slo(
        "delivery", "DeliveryBurn", 0.99, "channel", ENDED, f"({ENDED} - {IN_TIME})",
        "Too many deliveries over {{ $labels.channel }} fail or take longer than 5 minutes",
    ),
)  # fmt: skip


def rules() -> dict[str, Any]:
    """The rule file."""
    return {"groups": [group for slo in SLOS for group in (_recordings(slo), _alerts(slo))]}


def text() -> str:
    """The rule file as it is stored."""
    head = "# Written by `python -m tools.slo_rules` from the objectives there; explained in docs/slo.md.\n"
    return head + yaml.safe_dump(rules(), sort_keys=False, width=120, allow_unicode=True)


def _recordings(slo: Slo) -> dict[str, Any]:
    ratios = [
        {
            "record": f"slo:error_ratio:rate{window}",
            "expr": f"{slo.bad} / {slo.total}".replace("WINDOW", window),
            "labels": {"slo": slo.name},
        }
        for window in WINDOWS
    ]
    events = {"record": "slo:events:rate1h", "expr": slo.total.replace("WINDOW", "1h"), "labels": {"slo": slo.name}}
    return {"name": f"{slo.name} recordings", "interval": "30s", "rules": [*ratios, events]}


def _alerts(slo: Slo) -> dict[str, Any]:
    return {
        "name": f"{slo.name} budget",
        "rules": [_alert(slo, PAGE, "page", "2m"), _alert(slo, TICKET, "ticket", "1h")],
    }


def _alert(slo: Slo, burns: tuple[tuple[float, str, str], ...], severity: str, lasting: str) -> dict[str, Any]:
    here, allowed = f'{{slo="{slo.name}"}}', 1 - slo.objective
    either = " or ".join(
        f"(slo:error_ratio:rate{long}{here} > {burn * allowed:.6g}"
        f" and slo:error_ratio:rate{short}{here} > {burn * allowed:.6g})"
        for burn, long, short in burns
    )
    return {
        "alert": slo.alert,
        "expr": f"({either}) and slo:events:rate1h{here} > {FEWEST}",
        "for": lasting,
        "labels": {"severity": severity},
        "annotations": {
            "summary": slo.summary,
            "description": f"{{{{ $value | humanizePercentage }}}} of them; {allowed:.1%} are allowed.",
            "runbook": f"docs/runbooks/{slo.alert}.md",
        },
    }


if __name__ == "__main__":
    TARGET.write_text(text())
