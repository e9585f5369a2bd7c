"""Log levels of a running process, for a while: by a command in its container, or by a signal alone.

``python -m services log-level DEBUG [LOGGER] [--minutes N]`` (``consilium log-level``) leaves a file in the temporary
folder that every process of this user on the same ``CONSILIUM_PORT`` looks for each second: it needs no shell, no
network and no process id, and processes that start meanwhile heed it, too. ``SIGUSR1`` asks for DEBUG for ten minutes
(``docker kill -s USR1``), ``SIGUSR2`` goes back to ``CONSILIUM_LOG_LEVEL`` at once. What is logged at DEBUG obeys the
same rules as any log: no patient, no value that a client sent.
"""

import argparse
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from shared.process.probe import NO_PORT, own_host, own_port

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
MINUTES, LONGEST = 10, 24 * 60
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
CLEAR = "CLEAR"
CONNECTING = 2.0
"""Seconds that a connection may take."""


@dataclass(frozen=True, slots=True)
class Wish:
    """``logger`` (all of them: empty) is to log from ``level`` on, until then (seconds since the epoch)."""

    level: str
    logger: str
    until: float


def place(port: str | None = None) -> Path:
    """The file for the processes on ``port``."""
    return Path(tempfile.gettempdir()) / f"consilium-{port or os.environ.get('CONSILIUM_PORT') or '8080'}.log-level"


def wish(path: Path, wanted: Wish | None) -> None:
    """Leave ``wanted`` for the processes that look at ``path``; None: back to the settings. Raises ``OSError``."""
    if wanted is None:
        path.unlink(missing_ok=True)
        return
    # a new name, then a rename: nobody reads half of it, and nothing that lies in its place is followed
    handle, written = tempfile.mkstemp(dir=path.parent, prefix=".consilium-")
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(wanted), file)
    os.replace(written, path)


class Levels:
    """Heeds wishes: those in the file, and those by signal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signals: SimpleQueue[Wish | None] = SimpleQueue()
        self._seen: tuple[int, int] | None = None
        self._wish: Wish | None = None
        self._before: dict[str, int] = {}

    def by_signal(self, number: int, frame: object) -> None:
        """The handler of SIGUSR1 and SIGUSR2."""
        wanted = Wish("DEBUG", "", time.time() + 60 * MINUTES) if number == signal.SIGUSR1 else None
        self._signals.put(wanted)

    def run(self) -> None:
        """Look for wishes for ever."""
        while True:
            with suppress(OSError, Empty):
                self._heed(self._signals.get(timeout=EVERY))
            self.look()

    def look(self) -> None:
        """Heed the file if it changed, and end what is over."""
        try:
            status = self._path.lstat()
            seen = (status.st_ino, status.st_mtime_ns)
            ours = status.st_uid == os.getuid()
        except OSError:
            seen, ours = None, True
        if seen != self._seen and ours:
            self._seen = seen
            self._heed(self._read() if seen else None)
        if self._wish is not None and time.time() >= self._wish.until:
            self._heed(None)

    def _read(self) -> Wish | None:
        try:
            wanted = Wish(**json.loads(self._path.read_text()))
            if wanted.level in LEVELS and time.time() < wanted.until:
                return wanted
        except (OSError, ValueError, TypeError):
            log.warning("The file with the wanted log level cannot be read.")
        return None

    def _heed(self, wanted: Wish | None) -> None:
        if wanted is None and self._wish is None:
            return
        for name, level in self._before.items():
            logging.getLogger(name).setLevel(level)
        self._before, self._wish = {}, wanted
        if wanted is None:
            log.warning("Log levels are again what the settings say.")
            return
        logger = logging.getLogger(wanted.logger)
        self._before[wanted.logger] = logger.level
        logger.setLevel(wanted.level)
        log.warning("Log levels are changed for a while.", extra={"wanted": wanted.level, "until": int(wanted.until)})


def heed_wishes() -> None:
    """Heed wishes in this process from now on."""
    levels = Levels(place())
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, levels.by_signal)
    threading.Thread(target=levels.run, name="log-levels", daemon=True).start()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((own_host(), port), CONNECTING).close()
    except (OSError, UnicodeError):  # the last one: a name that can be none
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """``log-level LEVEL [LOGGER] [--minutes N]``; its exit code.

    1 where nobody listens on the port or the file cannot be written, 2 for wrong arguments or settings."""
    parser = argparse.ArgumentParser(prog="log-level", description="Change a running process's log level for a while.")
    parser.add_argument("level", choices=(*LEVELS, CLEAR), type=str.upper, help="CLEAR: back to CONSILIUM_LOG_LEVEL")
    parser.add_argument("logger", nargs="?", default="", help="e.g. shared.messaging; all without it")
    parser.add_argument("--minutes", type=int, default=MINUTES, choices=range(1, LONGEST + 1), metavar="N")
    try:
        asked = parser.parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    port = own_port()
    if port is None:
        print(NO_PORT, file=sys.stderr)
        return 2
    if not _listens(port):
        print(
            f"Nothing listens on port {port}. CONSILIUM_PORT (and _HOST) must be those of the process.", file=sys.stderr
        )
        return 1
    wanted = None if asked.level == CLEAR else Wish(asked.level, asked.logger, time.time() + 60 * asked.minutes)
    try:
        wish(place(), wanted)
    except OSError:
        print("The temporary folder cannot be written; send the process SIGUSR1 instead.", file=sys.stderr)
        return 1
    lasting = f", for {asked.minutes} minutes" if wanted else ""
    print(f"The processes on this port heed it within two seconds{lasting}.")
    return 0
