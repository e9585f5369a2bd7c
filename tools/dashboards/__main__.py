"""Writes the files."""

import json
from collections.abc import Iterable
from pathlib import Path

from tools.dashboards.shape import document
from tools.dashboards.shown import DASHBOARDS

TARGET = Path(__file__).parents[2] / "deploy" / "observability" / "dashboards"


def texts() -> Iterable[tuple[str, str]]:
    """File name and content of every dashboard."""
    for dashboard in DASHBOARDS:
        yield f"{dashboard.uid.removeprefix('consilium-')}.json", json.dumps(document(dashboard), indent=1) + "\n"


if __name__ == "__main__":
    for name, text in texts():
        (TARGET / name).write_text(text)
