"""The embedded PostgreSQL of an installation, started in a thread while this process still imports its services."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from shared.process.mistakes import Mistake

BASE = "consilium"
"""Our databases on it are called ``consilium_<service>``."""
RESTORING = "postgres.restoring"
"""Where a restore works until its cluster is whole."""
LEADS_NOWHERE = "CONSILIUM_DATA_DIR: its postgres is a link to what is not there. Is the disk mounted?"


def restore_unfinished(folder: Path) -> bool:
    """Whether there is no cluster in ``folder``, but what a refused or killed restore left beside it.

    Where ``folder`` is a link, a restore works beside what it leads to, whether or not that is there."""
    place = Path(os.path.realpath(folder))
    return not (place / "PG_VERSION").exists() and place.with_name(RESTORING).exists()


def leads_nowhere(folder: Path) -> bool:
    """Whether ``folder`` is a link to what is not there: a disk that is not mounted is no reason to begin anew."""
    return folder.is_symlink() and not folder.exists()


class EmbeddedServer:
    """A context: starts at once on entering, is waited for by ``url``, stops on leaving."""

    def __init__(self, folder: Path) -> None:
        from consilium.backup.archiving import ArchiveSettings, archiving
        from shared.store.embedded import SETTINGS, embedded_postgres

        if restore_unfinished(folder):
            raise Mistake(
                "A restore did not come to its end. Run it again; what was there before it, if anything, is in "
                f"postgres.before-... To begin with nothing, remove {RESTORING}."
            )
        if leads_nowhere(folder):
            raise Mistake(LEADS_NOWHERE)
        # absolute: PostgreSQL refuses a relative socket folder
        self._context = embedded_postgres(folder.resolve(), settings={**SETTINGS, **archiving(ArchiveSettings())})
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> "EmbeddedServer":
        self._url = self._thread.submit(self._context.__enter__)
        return self

    async def url(self) -> str:
        """The administration URL, once the server is up. Raises what starting it raised."""
        return await asyncio.wrap_future(self._url)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._url.exception() is None:
            self._context.__exit__(None, None, None)
        self._thread.shutdown()
