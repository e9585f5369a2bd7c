"""Which schema revision a folder of migrations ends at, told from its file names: Alembic is only loaded to migrate.

Revisions are numbers of four digits, so that their order is that of their texts (docs/operations/migrations.md).
"""

from pathlib import Path


def known(folder: Path) -> tuple[str, ...]:
    """The revisions in ``folder``, oldest first: versions are files ``<revision>_<what>.py``, numbered upwards."""
    return tuple(sorted(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py")))


def head(folder: Path) -> str | None:
    """The newest revision in ``folder``."""
    revisions = known(folder)
    return revisions[-1] if revisions else None


def is_behind(found: str | None, newest: str | None) -> bool:
    """Whether a database at ``found`` (None: without a schema) still lacks what code at ``newest`` needs.

    A schema that is ahead lacks nothing: a newer release migrated it, and this code is about to be replaced."""
    return newest is not None and (found is None or found < newest)


def runs_on(found: str | None, newest: str, oldest: str | None) -> bool:
    """Whether code that knows revisions up to ``newest`` runs on a schema at ``found``.

    ``oldest``: what code must know since the last contract migration."""
    return not is_behind(found, newest) and (oldest is None or newest >= oldest)
