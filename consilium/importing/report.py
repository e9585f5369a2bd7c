"""What an import did, counted per type, and shown as tables."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from consilium.importing.units import Unreadable

REASONS_SHOWN = 30


@dataclass(slots=True)
class Report:
    """Counts by resource type; refusals by reason."""

    loaded: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(file, reason)."""
    repaired: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether everything is on the server now."""
        return not self.refused and not self.unreadable

    def refuse(self, source: str, type_: str, reason: str) -> None:
        """Count an entry that was refused."""
        self.refused[type_] += 1
        self.reasons[source, reason] += 1


def show(report: Report, console: Console) -> None:
    """Print ``report``."""
    table = Table("type", title="Imported", title_justify="left")
    for name in ("loaded", "skipped", "refused"):
        table.add_column(name, justify="right")
    for type_ in sorted({*report.loaded, *report.skipped, *report.refused}):
        table.add_row(type_, *(_number(kind[type_]) for kind in (report.loaded, report.skipped, report.refused)))
    totals = (report.loaded.total(), report.skipped.total(), report.refused.total())
    table.add_section()
    table.add_row("all", *(str(total) for total in totals), style="bold")
    console.print(table)
    if report.skipped:
        console.print("Skipped: loaded by an earlier run (--again sends it anyway).")
    if report.repaired:
        console.print("Repaired on the way (your files are as they were; --strict has faults of structure refused):")
    for what, count in report.repaired.most_common():
        console.print(f"{count:>6} x {what}", highlight=False, soft_wrap=True)
    if report.reasons or report.unreadable:
        console.print(_refusals(report))


def _refusals(report: Report) -> Table:
    table = Table(title="Refused", title_justify="left", title_style="bold red", show_lines=True)
    table.add_column("file", overflow="fold")
    table.add_column("entries", justify="right")
    table.add_column("reason", overflow="fold", ratio=2)
    for item in report.unreadable:
        table.add_row(item.source, "", item.reason)
    for (source, reason), count in report.reasons.most_common(REASONS_SHOWN):
        table.add_row(source, str(count), reason)
    rest = len(report.reasons) - REASONS_SHOWN
    if rest > 0:
        table.add_row("...", "", f"{rest} more")
    return table


def _number(count: int) -> str:
    return str(count) if count else ""
