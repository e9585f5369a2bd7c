"""Which course of events a restore follows where earlier restores forked it."""

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from consilium.backup.timelines import Wanted, chosen
from shared.process.mistakes import Mistake

BACKUP: dict[str, Any] = {"WAL-Ranges": [{"Timeline": 1, "Start-LSN": "0/3000028", "End-LSN": "0/3000158"}]}
BRANCHED = 1_800_000_000
"""2027-01-15 08:00:00 UTC."""


def archived(shelf: Path, histories: Mapping[int, str]) -> Path:
    """An archive with a segment of each timeline and these histories."""
    for number in (1, *histories):
        (shelf / f"{number:08X}0000000000000004.gz").touch()
        os.utime(shelf / f"{number:08X}0000000000000004.gz", (BRANCHED + 60, BRANCHED + 60))
    for number, lines in histories.items():
        path = shelf / f"{number:08X}.history.gz"
        path.write_bytes(gzip.compress(lines.encode()))
        os.utime(path, (BRANCHED, BRANCHED))
    return shelf


AFTER = "1\t0/4000000\tno recovery target specified\n"
LATER = f"{AFTER}\n2\t1/0\tbefore 2026-03-02 14:05:00+00\n"
BEFORE = "1\t0/2FFFFFF\treached consistency\n"
FOREIGN = "7\t0/9000000\tno recovery target specified\n"


@pytest.mark.parametrize(
    ("histories", "wanted", "followed"),
    [
        ({}, None, 1),
        ({}, "latest", 1),
        ({2: BEFORE}, None, 1),
        ({2: BEFORE}, "latest", 1),
        ({8: FOREIGN}, None, 1),
        ({2: AFTER}, 1, 1),
        ({2: AFTER}, 2, 2),
        ({2: AFTER, 16: LATER}, "latest", 16),
        ({2: AFTER, 3: BEFORE}, "latest", 2),
    ],
)
def test_the_only_course_or_the_one_that_is_named_is_followed(
    tmp_path: Path, histories: Mapping[int, str], wanted: Wanted, followed: int
) -> None:
    assert chosen(archived(tmp_path, histories), BACKUP, wanted) == followed


def test_several_courses_and_none_named_are_listed(tmp_path: Path) -> None:
    with pytest.raises(Mistake) as caught:
        chosen(archived(tmp_path, {2: AFTER, 3: LATER, 4: BEFORE}), BACKUP, None)
    assert str(caught.value).splitlines()[1:] == [
        "  --timeline 1  the backup's own; last archived 2027-01-15 08:01:00 UTC",
        "  --timeline 2  branched off 1 on 2027-01-15 08:00:00 UTC; last archived 2027-01-15 08:01:00 UTC",
        "  --timeline 3  branched off 2 on 2027-01-15 08:00:00 UTC; last archived 2027-01-15 08:01:00 UTC",
        "  --timeline latest is 3.",
    ]


def test_a_course_that_does_not_pass_the_backup_is_refused(tmp_path: Path) -> None:
    for wanted in (2, 3):
        with pytest.raises(Mistake, match="no such timeline"):
            chosen(archived(tmp_path, {2: BEFORE}), BACKUP, wanted)


def test_a_history_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "00000002.history.gz").write_bytes(b"broken")
    with pytest.raises(Mistake, match="history"):
        chosen(tmp_path, BACKUP, None)
