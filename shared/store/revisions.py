"""Which schema revision a folder of migrations ends at, told from its file names: Alembic is only loaded to migrate."""

from pathlib import Path


def head(folder: Path) -> str | None:
    """The newest revision in ``folder``: versions are files ``<revision>_<what>.py``, numbered upwards."""
    revisions = sorted(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py"))
    return revisions[-1] if revisions else None
