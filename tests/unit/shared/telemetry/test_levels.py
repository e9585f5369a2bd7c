"""Log levels change for a while: by a file, by a signal, and go back by themselves."""

import json
import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.telemetry import levels
from shared.telemetry.levels import Levels, Wish, main, wish


@pytest.fixture(autouse=True)
def root_level() -> Iterator[None]:
    """The root logger as it was."""
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.WARNING)
    yield
    logging.getLogger().setLevel(before)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's wishes lie."""
    monkeypatch.setattr(levels.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setenv("CONSILIUM_PORT", "1234")
    return tmp_path / "consilium-1234.log-level"


def level_of(name: str = "") -> int:
    """The effective level."""
    return logging.getLogger(name).getEffectiveLevel()


def test_all_loggers_or_one_change_and_go_back(path: Path) -> None:
    heeding = Levels(path)
    heeding.look()
    assert level_of() == logging.WARNING
    assert main(["debug"]) == 0
    heeding.look()
    assert level_of("shared.messaging.relay") == logging.DEBUG
    assert main(["INFO", "shared.messaging"]) == 0
    heeding.look()
    assert (level_of(), level_of("shared.messaging.relay")) == (logging.WARNING, logging.INFO)
    assert main(["CLEAR"]) == 0
    heeding.look()
    assert level_of("shared.messaging.relay") == logging.WARNING
    assert logging.getLogger("shared.messaging").level == logging.NOTSET


def test_it_goes_back_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heeding = Levels(path)
    assert main(["DEBUG", "--minutes", "2"]) == 0
    heeding.look()
    assert level_of() == logging.DEBUG
    now = time.time()
    monkeypatch.setattr(levels.time, "time", lambda: now + 121)
    heeding.look()
    assert level_of() == logging.WARNING
    later = Levels(path)
    later.look()
    assert level_of() == logging.WARNING, "a process that starts afterwards heeds nothing that is over"


def test_signals_ask_without_a_file(path: Path) -> None:
    heeding = Levels(path)
    for number, level in ((signal.SIGUSR1, logging.DEBUG), (signal.SIGUSR2, logging.WARNING)):
        heeding.by_signal(number, None)
        heeding._heed(heeding._signals.get_nowait())
        heeding.look()
        assert level_of() == level


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"level": "LOUD", "logger": "", "until": 9e9}', '{"level": "DEBUG", "logger": "", "until": "x"}'],
)
def test_a_file_that_is_none_changes_nothing(path: Path, content: str) -> None:
    path.write_text(content)
    Levels(path).look()
    assert level_of() == logging.WARNING


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_heeded(path: Path) -> None:
    wish(path, Wish("DEBUG", "", time.time() + 60))
    os.chown(path, 12345, 12345)
    Levels(path).look()
    assert level_of() == logging.WARNING


def test_a_link_in_its_place_is_replaced_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    path.symlink_to(tmp_path / "precious")
    assert main(["DEBUG"]) == 0
    assert (tmp_path / "precious").read_text() == "mine"
    assert json.loads(path.read_text())["level"] == "DEBUG"


@pytest.mark.parametrize("arguments", [[], ["LOUD"], ["DEBUG", "--minutes", "0"], ["DEBUG", "a", "b"]])
def test_wrong_arguments_are_told(path: Path, arguments: list[str]) -> None:
    assert main(arguments) == 2
    assert not path.exists()
