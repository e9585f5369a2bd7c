"""Paging by ``_lastUpdated`` while others write: every page is ordered as the first one saw the rows.

An update moves a row to the end of that order: who reads "newest first" would never meet it, who reads "oldest first"
would meet it twice. So the cursor carries PostgreSQL's snapshot of the first page. A row whose present version that
snapshot did not see takes the place of the version that it did see; a row that it did not see at all is left out.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from shared.fhir.search.predicates import Bind

LONGEST_WRITE = timedelta(minutes=1)
"""A write is committed this long after its ``lastUpdated`` at the latest, differences between clocks included: a unit
of work that takes half of it is given up, and a transaction over services is decided within the other half. Only where
its deciding service is away for longer may what was prepared come later."""

COLUMN = "pg_current_snapshot()::text"
_TEXT = re.compile(r"[0-9]{1,18}:[0-9]{1,18}:(?:[0-9]{1,18}(?:,[0-9]{1,18})*)?")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the first page saw: ``text`` as PostgreSQL writes it; all rows up to ``horizon`` are certainly in it."""

    text: str
    horizon: datetime


def is_snapshot(text: str) -> bool:
    """Whether PostgreSQL would take ``text`` for a snapshot: it comes back from a client."""
    if not _TEXT.fullmatch(text):
        return False
    low, high, running = text.split(":")
    numbers = [int(number) for number in running.split(",") if number]
    bounds = [int(low), *numbers, int(high)]
    ascending = all(first < second for first, second in pairwise(numbers))
    return 0 < bounds[0] <= bounds[-1] and ascending and all(bounds[0] <= n < bounds[-1] for n in numbers)


@dataclass(frozen=True, slots=True)
class Sight:
    """The snapshot in SQL, by its two placeholders."""

    text: str
    horizon: str

    @classmethod
    def taken(cls, take: Bind) -> "Sight":
        """New placeholders."""
        return cls(take("text"), take("timestamptz"))

    def _sees(self, alias: str) -> str:
        """Whether the snapshot sees the row version ``alias``: its 32-bit xmin, widened to the snapshot's epoch."""
        top = f"pg_snapshot_xmax({self.text}::pg_snapshot)::text::bigint"
        distance = f"((({alias}.xmin::text::bigint - {top}) % 4294967296 + 6442450944) % 4294967296 - 2147483648)"
        return f"pg_visible_in_snapshot(({top} + {distance})::text::xid8, {self.text}::pg_snapshot)"

    def made(self) -> str:
        """Whether the first page saw the version ``h``, a row of the history that never changes."""
        return f"(h.last_updated <= {self.horizon} OR {self._sees('h')})"

    def sees(self, alias: str) -> str:
        """Whether the snapshot sees the row version ``alias``, whenever that was written."""
        return self._sees(alias)

    def unchanged(self) -> str:
        """Whether the present version of ``r`` is the one that the first page saw."""
        return f"(r.last_updated <= {self.horizon} OR {self._sees('r')})"

    def changed(self) -> str:
        """Whether it is another."""
        return f"(r.last_updated > {self.horizon} AND NOT {self._sees('r')})"

    def updated(self) -> str:
        """``lastUpdated`` of ``r`` as the first page saw it; NULL for a row that it did not see."""
        before = (
            "SELECT h.last_updated FROM resource_history h WHERE h.type = r.type AND h.id = r.id"
            f" AND {self._sees('h')} ORDER BY h.version DESC LIMIT 1"
        )
        return f"CASE WHEN {self.unchanged()} THEN r.last_updated ELSE ({before}) END"
