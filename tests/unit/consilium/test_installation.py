"""One process per data folder."""

from pathlib import Path

import pytest

from consilium.installation import AlreadyRunning, exclusive, running_on, tell_resting


def test_a_second_run_on_a_folder_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with exclusive(tmp_path, "http://127.0.0.1:1") as note:
        with pytest.raises(AlreadyRunning, match=r"127\.0\.0\.1:1\b"), exclusive(tmp_path, "http://127.0.0.1:2"):
            pass
        note("postgresql:///consilium_{service}")
        running = running_on(tmp_path)
        assert running is not None
        assert (running.base, running.databases) == ("http://127.0.0.1:1", "postgresql:///consilium_{service}")
    assert running_on(tmp_path) is None


def test_a_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    for number in range(2):
        with exclusive(tmp_path / "new", f"http://127.0.0.1:{number}"):
            pass


def test_which_installation_rests_is_told_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tell_resting(tmp_path)
    told = capsys.readouterr()
    assert (told.out, str(tmp_path) in told.err) == ("", True)
