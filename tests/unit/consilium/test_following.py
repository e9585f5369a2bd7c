"""An archive without the log that a restore is to follow is refused: PostgreSQL would call it the end."""

import gzip
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from consilium.backup.following import require_archive, require_log
from shared.process.mistakes import Mistake

BACKUP: dict[str, Any] = {"WAL-Ranges": [{"Timeline": 1, "Start-LSN": "0/3000028", "End-LSN": "0/3000158"}]}
HISTORIES = {
    2: "1\t0/3000158\treached consistency\n",
    3: "1\t0/5000100\tno recovery target specified\n",
    4: "1\t0/5000100\tno recovery target specified\n\n3\t0/7000000\tno recovery target specified\n",
}


def shelf_of(folder: Path, segments: Collection[tuple[int, int]]) -> Path:
    """A cluster's archive with these segments (timeline, place)."""
    for timeline, place in segments:
        (folder / f"{timeline:08X}00000000{place:08X}.gz").touch()
    for number, lines in HISTORIES.items():
        (folder / f"{number:08X}.history.gz").write_bytes(gzip.compress(lines.encode()))
    return folder


@pytest.mark.parametrize(
    ("followed", "segments"),
    [
        (1, [(1, 3)]),
        (1, [(1, 3), (1, 4), (1, 9)]),
        (2, [(2, 3)]),
        (3, [(1, 3), (1, 4), (3, 5)]),
        (4, [(1, 3), (1, 4), (3, 5), (3, 6), (4, 7)]),
    ],
)
def test_an_archive_that_goes_on_from_the_backup_will_do(
    tmp_path: Path, followed: int, segments: list[tuple[int, int]]
) -> None:
    require_log(shelf_of(tmp_path, segments), BACKUP, followed)


@pytest.mark.parametrize(
    ("followed", "segments", "lacking"),
    [
        (1, [], (1, 3)),
        (1, [(1, 2)], (1, 3)),
        (1, [(1, 4)], (1, 3)),
        (1, [(2, 3)], (1, 3)),
        (2, [(1, 3), (1, 4)], (2, 3)),
        (3, [(3, 5), (3, 6)], (1, 3)),
        (3, [(1, 3), (3, 5)], (1, 4)),
        (3, [(1, 3), (1, 4), (1, 5)], (3, 5)),
        (4, [(1, 3), (1, 4), (3, 5), (4, 7)], (3, 6)),
    ],
)
def test_an_archive_that_lacks_what_leads_there_is_refused(
    tmp_path: Path, followed: int, segments: list[tuple[int, int]], lacking: tuple[int, int]
) -> None:
    with pytest.raises(Mistake, match=f"lacks {lacking[0]:08X}00000000{lacking[1]:08X}"):
        require_log(shelf_of(tmp_path, segments), BACKUP, followed)


def test_a_backup_that_ended_with_a_segment_needs_no_next_one(tmp_path: Path) -> None:
    manifest = {"WAL-Ranges": [{"Timeline": 1, "Start-LSN": "1/FF000028", "End-LSN": "2/0"}]}
    (tmp_path / "0000000100000001000000FF.gz").touch()
    require_log(tmp_path, manifest, 1)


def test_an_archive_that_is_none_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="no such folder"):
        require_archive(tmp_path / "not" / "there", "42")
    for folder in ("", "43", "42"):
        (tmp_path / "archive" / folder).mkdir(parents=True, exist_ok=True)
        with pytest.raises(Mistake, match="nothing in it"):
            require_archive(tmp_path / "archive", "42")
    assert not (tmp_path / "not").exists()
