"""What a restore is told, on the command line and by a backup's record, and what of it cannot be."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from consilium.backup import contents
from consilium.backup.contents import Backup
from consilium.backup.programs import MAJOR
from consilium.commands.restore import _target
from shared.process.mistakes import Mistake

NOW = datetime.now(UTC)
BACKUP = Backup("0.1.0", MAJOR, "42", NOW, NOW, 1, "000000020000000000000003", {"referrals": "0001"})


@pytest.mark.parametrize("to", ["2026-03-02T14:05:00+23:00", "2026-03-01T15:05:00Z", "2026-02-28T16:05:00-23:00"])
def test_a_moment_is_handed_on_in_utc(to: str) -> None:
    # PostgreSQL takes no offset of 16 hours or more
    moment = _target(to)
    assert isinstance(moment, datetime)
    assert moment.tzinfo is UTC
    assert moment.isoformat() == "2026-03-01T15:05:00+00:00"


@pytest.mark.parametrize("to", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "2026-03-01T14:05:00"])
def test_a_moment_that_cannot_be_is_told(to: str) -> None:
    with pytest.raises(typer.BadParameter, match="a time looks like"):
        _target(to)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    contents.write(tmp_path, BACKUP)
    assert contents.read(tmp_path) == BACKUP


@pytest.mark.parametrize(
    "changed",
    [
        {"finished": "2026-03-01T14:05:00"},
        {"started": "2026-03-01T14:05:00"},
        {"revisions": ["0001"]},
        {"revisions": {"referrals": 1}},
        {"system": 42},
        {"first_wal": None},
        {"postgres": "18"},
    ],
)
def test_a_record_that_we_did_not_write_cannot_be_read(changed: dict[str, object], tmp_path: Path) -> None:
    contents.write(tmp_path, BACKUP)
    record = tmp_path / contents.RECORD
    record.write_text(json.dumps(json.loads(record.read_text()) | changed))
    with pytest.raises(Mistake, match=r"backup\.json cannot be read"):
        contents.read(tmp_path)
