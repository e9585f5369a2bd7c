"""What was loaded already, one line per unit in the data folder: a second run goes on where the first one ended."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a unit's entries."""

    positions: frozenset[int]
    """The entries that are stored."""
    made: Mapping[str, str] = field(default_factory=dict)
    """fullUrl (for an entry without one, the digest and its position) -> ``Type/id`` that the server gave."""


class Journal:
    """The journal for one server. Every ``add`` is on the disk when it returns."""

    def __init__(self, file: Path, server: str) -> None:
        self._file = file
        self._server = server
        self._known: dict[str, Done] = {}
        self._in_doubt: set[str] = set()
        if file.exists():
            for line in file.read_text().splitlines():
                self._remember(line)

    def _remember(self, line: str) -> None:
        try:
            entry = json.loads(line)
            if entry["server"] != self._server:
                return
            if "stored" in entry:
                self._known[entry["unit"]] = Done(frozenset(entry["stored"]), entry["made"])
                self._in_doubt.discard(entry["unit"])
            else:
                self._in_doubt.add(entry["unit"])
        except (ValueError, KeyError, TypeError):
            # the last line of a run that was killed while writing; its unit is simply sent again
            return

    def done(self, digest: str) -> Done | None:
        """What is known of a unit."""
        return self._known.get(digest)

    def forget(self, digest: str) -> None:
        """Take a unit for never sent: what is noted of it is about another database."""
        self._known.pop(digest, None)

    def in_doubt(self, digest: str) -> bool:
        """Whether an earlier run sent the unit and never noted what became of it."""
        return digest in self._in_doubt

    def sending(self, digest: str, source: str) -> None:
        """Note that a unit is about to be sent."""
        self._write({"server": self._server, "unit": digest, "source": source})

    def add(self, digest: str, source: str, stored: Iterable[int], made: Mapping[str, str]) -> None:
        """Note that these entries of a unit are stored."""
        before = self._known.get(digest, Done(frozenset()))
        now = Done(before.positions | frozenset(stored), {**before.made, **made})
        self._known[digest] = now
        self._in_doubt.discard(digest)
        outcome = {"stored": sorted(now.positions), "made": dict(now.made)}
        self._write({"server": self._server, "unit": digest, "source": source, **outcome})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
