"""The data folder of an installation: one ``run`` at a time; others can ask where that one is."""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import TextIOWrapper
from pathlib import Path

from shared.process.mistakes import Mistake

LOCK = "run.lock"


class AlreadyRunning(Mistake):
    """Another process runs on this folder."""


@dataclass(frozen=True, slots=True)
class Running:
    """The process that runs on a data folder."""

    pid: int
    base: str
    """Where it serves."""
    databases: str | None = None
    """The URL (with ``{service}``) of its embedded PostgreSQL; None while it is not up, and where it uses another."""


@contextmanager
def exclusive(folder: Path, base: str) -> Iterator[Callable[[str], None]]:
    """Hold ``folder`` (made if absent) until the block ends; the lock dies with the process.

    Yields a function that notes where the embedded databases are. Raises ``AlreadyRunning``, ``Mistake``."""
    with _lock_file(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(file)
            who = f"Process {holder.pid} ({holder.base})" if holder else "Another process"
            raise AlreadyRunning(f"{who} runs on this data folder already.") from None
        _write(file, Running(os.getpid(), base))
        yield lambda databases: _write(file, Running(os.getpid(), base, databases))
        file.truncate(0)


def _lock_file(folder: Path) -> TextIOWrapper:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / LOCK).open("a+")
    except OSError as error:
        raise Mistake("CONSILIUM_DATA_DIR: the folder cannot be written.") from error


def running_on(folder: Path) -> Running | None:
    """The process that holds ``folder``; None when nobody does."""
    if not (folder / LOCK).exists():
        return None
    with (folder / LOCK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
        return None


def tell_resting(folder: Path) -> None:
    """Say on stderr which installation is asked, where nobody runs it: another may serve from containers meanwhile."""
    print(
        f"Nobody runs on {folder.resolve()}; its databases are started for this alone. "
        "What runs in containers has databases of its own.",
        file=sys.stderr,
    )


def _write(file: TextIOWrapper, running: Running) -> None:
    file.truncate(0)
    file.write(json.dumps(asdict(running)))
    file.flush()


def _read(file: TextIOWrapper) -> Running | None:
    file.seek(0)
    try:
        return Running(**json.loads(file.read()))
    except (ValueError, TypeError):
        # it was just started and has not said where yet
        return None
