"""Grafana dashboards of ``deploy/observability/dashboards``, from what they show. ``python -m tools.dashboards``."""
