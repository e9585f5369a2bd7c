"""Log levels change for a while: by a file, by a signal, and go back by themselves."""

import json
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.telemetry import levels
from shared.telemetry.levels import Levels, Wish, main, wish
from tests.ports import free_port


@pytest.fixture(autouse=True)
def root_level() -> Iterator[None]:
    """The root logger as it was."""
    before = logging.getLogger().level
    logging.getLogger().setLevel(logging.WARNING)
    yield
    logging.getLogger().setLevel(before)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this test's wishes lie; somebody listens on its port."""
    monkeypatch.setattr(levels.tempfile, "gettempdir", lambda: str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("CONSILIUM_PORT", str(port))
        yield tmp_path / f"consilium-{port}.log-level"


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


@pytest.mark.parametrize("level", ["DEBUG", "CLEAR"])
@pytest.mark.parametrize("host", ["", "0.0.0.0", "127.0.0.1"])
def test_a_wish_that_nobody_would_heed_is_no_success(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str, host: str
) -> None:
    monkeypatch.setenv("CONSILIUM_HOST", host)
    assert main([level]) == 0
    path.unlink(missing_ok=True)
    capsys.readouterr()
    port = str(free_port())
    monkeypatch.setenv("CONSILIUM_PORT", port)
    assert main([level]) == 1
    told = capsys.readouterr()
    assert (told.out, port in told.err) == ("", True)
    assert not list(path.parent.iterdir())


def test_a_port_that_is_none_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CONSILIUM_PORT", "http")
    assert main(["DEBUG"]) == 2
    assert capsys.readouterr().err.startswith("CONSILIUM_PORT: ")
