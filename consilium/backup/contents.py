"""What a backup is on the disk: ``postgres/`` as pg_basebackup made it, and ``backup.json``, which is written last."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from consilium.backup.programs import MAJOR
from shared.process.mistakes import Mistake

FORMAT = 1
RECORD, CLUSTER = "backup.json", "postgres"


@dataclass(frozen=True, slots=True)
class Backup:
    """What ``backup.json`` says. Times are UTC, sizes bytes."""

    made_by: str
    """The version of Consilium."""
    postgres: int
    """PostgreSQL's major version."""
    system: str
    """The cluster's system identifier."""
    started: datetime
    finished: datetime
    """From this moment on a restore to a point in time can begin with this backup."""
    size: int
    first_wal: str
    """The first segment of the write-ahead log that a restore needs from the archive."""
    revisions: Mapping[str, str]
    """Service -> revision of its schema."""


def write(folder: Path, backup: Backup) -> None:
    """Put the record into ``folder``."""
    told = {"format": FORMAT, **asdict(backup)}
    told |= {"started": backup.started.isoformat(), "finished": backup.finished.isoformat()}
    (folder / RECORD).write_text(json.dumps(told, indent=1) + "\n")


def read(folder: Path) -> Backup:
    """The record of the backup in ``folder``. Raises ``Mistake`` where there is no complete backup that we can read."""
    try:
        told = json.loads((folder / RECORD).read_text())
        if told.pop("format") != FORMAT:
            raise Mistake("SOURCE: the backup was made by another version of Consilium, in another format.")
        told |= {name: datetime.fromisoformat(told[name]) for name in ("started", "finished")}
        backup = Backup(**told)
        if not _holds(backup):
            raise Mistake("SOURCE: backup.json cannot be read.")
    except FileNotFoundError as error:
        raise Mistake("SOURCE: there is no complete backup: it has no backup.json.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Mistake("SOURCE: backup.json cannot be read.") from error
    if backup.postgres != MAJOR:
        raise Mistake(f"SOURCE: the backup is of PostgreSQL {backup.postgres}, this installation has {MAJOR}.")
    return backup


def _holds(backup: Backup) -> bool:
    """Whether everything in it is of the type that we wrote."""
    return (
        all(isinstance(one, str) for one in (backup.made_by, backup.system, backup.first_wal))
        and all(isinstance(one, int) for one in (backup.postgres, backup.size))
        and all(moment.tzinfo is not None for moment in (backup.started, backup.finished))
        and isinstance(backup.revisions, dict)
        and all(isinstance(revision, str) for revision in backup.revisions.values())
    )
