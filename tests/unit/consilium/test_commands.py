"""The command line as scripts use it."""

import asyncio
import errno
import json
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from consilium.commands import dead
from consilium.installation import exclusive
from consilium.main import app
from consilium.reaching import require_server
from shared.messaging.transport import DeadLetter
from shared.process.mistakes import Mistake
from shared.process.server import PortTaken, require_free
from shared.security.keys import local_key
from tests.ports import free_port, refusing_port

run = CliRunner().invoke


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(tmp_path))
    return tmp_path


def test_token_prints_a_token_and_nothing_else(data_dir: Path) -> None:
    options = ["--role", "clinician", "--discipline", "mental-health"]
    options += ["--fhir-user", "Practitioner/x", "--organization", "Organization/y"]
    result = run(app, ["token", *options])
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    claims = jwt.decode(line, options={"verify_signature": False})
    assert claims["role"] == "clinician"
    assert claims["discipline"] == "mental-health"
    assert claims["fhirUser"] == "Practitioner/x"
    assert claims["organization"] == "Organization/y"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--role", "king"],
        ["--role", "clinician", "--discipline", "astrology"],
        ["--role", "clinician", "--fhir-user", "nobody"],
    ],
)
def test_token_refuses_what_would_not_verify(data_dir: Path, options: list[str]) -> None:
    assert run(app, ["token", *options]).exit_code == 2


@pytest.mark.parametrize("command", [["demo"], ["import", "."], ["import", ".", "--verify"]])
def test_a_server_that_nobody_started_is_told_at_once(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    (data_dir / "patient.json").write_text('{"resourceType": "Patient", "id": "p"}')
    monkeypatch.chdir(data_dir)
    port = refusing_port()
    monkeypatch.setenv("CONSILIUM_PORT", str(port))
    begun = time.monotonic()
    result = run(app, command)
    assert time.monotonic() - begun < 2
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert f"No server answers at 127.0.0.1:{port}. Start one with `make run`" in line


async def test_a_server_that_is_starting_is_waited_for(data_dir: Path) -> None:
    port = free_port()
    with exclusive(data_dir, f"http://0.0.0.0:{port}"):
        waiting = asyncio.create_task(require_server(f"http://127.0.0.1:{port}/fhir", data_dir))
        done, _ = await asyncio.wait({waiting}, timeout=0.3)
        assert not done
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)
        async with server, asyncio.timeout(5):
            await waiting


async def test_nobody_waits_for_a_server_on_another_port(data_dir: Path) -> None:
    with exclusive(data_dir, f"http://127.0.0.1:{free_port()}"), pytest.raises(Mistake, match="No server answers"):
        await asyncio.wait_for(require_server(f"http://127.0.0.1:{refusing_port()}/fhir", data_dir), 2)


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "http://", "http://127.0.0.1:many", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_told(data_dir: Path, url: str) -> None:
    result = run(app, ["demo", "--url", url])
    assert (result.exit_code, result.output) == (1, "No demo. --url: a URL looks like http://127.0.0.1:8080.\n")


def test_the_version_is_that_of_the_package(data_dir: Path) -> None:
    result = run(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"consilium {version('consilium')}\n")


def test_open_mode_is_refused_on_an_address_that_others_reach(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_AUTH", "open")
    monkeypatch.setenv("CONSILIUM_HOST", "0.0.0.0")
    assert run(app, ["run"]).exit_code == 1


def test_a_port_is_taken_or_free() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(PortTaken, match="CONSILIUM_PORT"):
            require_free("127.0.0.1", holder.getsockname()[1])
    require_free("127.0.0.1", free_port())


@pytest.mark.parametrize(
    ("host", "told"),
    [("no.such.host.invalid", "no name"), ("a..b", "no name"), ("192.0.2.1", "no such address"), ("::g", "no name")],
)
def test_an_address_that_nobody_can_listen_on_is_not_told_as_taken(host: str, told: str) -> None:
    with pytest.raises(Mistake, match=f"CONSILIUM_HOST: .*{told}"):
        require_free(host, free_port())


def test_a_port_that_is_forbidden_is_not_told_as_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(probe: socket.socket, address: tuple[str, int]) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    with pytest.raises(Mistake, match="CONSILIUM_PORT: this user may not"):
        require_free("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("name", "value"),
    [("AUTH", "none"), ("PORT", "abc"), ("WORKERS", "0"), ("LOG_LEVEL", "loud"), ("TRACE_RATIO", "2")],
)
def test_a_bad_setting_is_told_in_a_line(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CONSILIUM_{name}", value)
    result = run(app, ["run"])
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.startswith(f"Not started. CONSILIUM_{name}: ")


@pytest.mark.parametrize(
    ("command", "outcome", "names"),
    [
        (["run"], "Not started.", ["PORT", "WORKERS"]),
        (["migrate"], "Not migrated.", ["PORT", "WORKERS"]),
        (["import", "."], "Nothing loaded.", ["PORT", "WORKERS"]),
        (["import", ".", "--verify"], "Not compared.", ["AUTH"]),
        (["demo"], "No demo.", ["PORT", "WORKERS"]),
        (["demo"], "No demo.", ["AUTH"]),
        (["token", "--role", "coordinator"], "No token.", ["AUTH", "JWT_SKEW_S"]),
        (["dead", "list"], "Not asked.", ["PORT", "WORKERS"]),
        (["dead", "show", "queue", "event"], "Not asked.", ["PORT"]),
        (["dead", "replay", "queue"], "Not asked.", ["PORT"]),
        (["dead", "list"], "Not asked.", ["AMQP_URL"]),
        (["run"], "Not started.", ["AMQP_URL"]),
        (["run"], "Not started.", ["SMTP_URL"]),
        (["run"], "Not started.", ["JWKS_URL"]),
        (["run"], "Not started.", ["PUBLIC_URL"]),
    ],
)
def test_every_command_tells_bad_settings_a_line_each(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], outcome: str, names: list[str]
) -> None:
    for name in names:
        monkeypatch.setenv(f"CONSILIUM_{name}", "s3cret")
    result = run(app, command)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit), "no traceback"
    lines = result.output.splitlines()
    assert len(lines) == len(names)
    for line, name in zip(lines, names, strict=True):
        assert line.startswith(f"{outcome} CONSILIUM_{name}: ")
        assert "s3cret" not in line


def test_keys_names_the_file_that_lets_others_believe_our_tokens(data_dir: Path) -> None:
    result = run(app, ["keys"])
    assert result.exit_code == 0
    (known,) = json.loads(Path(result.stdout.strip()).read_text())["keys"]
    assert known["kid"] == local_key(data_dir).kid
    assert "d" not in known


@pytest.mark.parametrize("command", [["token", "--role", "system"], ["import", "."], ["demo"], ["keys"]])
def test_a_key_that_cannot_be_made_is_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    (data_dir / "file").touch()
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(data_dir / "file" / "folder"))
    result = run(app, command)
    assert result.exit_code == 1
    assert result.output.endswith("CONSILIUM_DATA_DIR: the folder cannot be written.\n")


def test_a_data_folder_that_cannot_be_made_is_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_dir / "file").touch()
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(data_dir / "file" / "folder"))
    result = run(app, ["run"])
    assert (result.exit_code, result.output) == (1, "Not started. CONSILIUM_DATA_DIR: the folder cannot be written.\n")


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("postgresql://127.0.0.1:{port}/x", 1, "The database cannot be reached."),
        ("mysql://127.0.0.1/x", 2, "%2F is a / in a password"),
        ("nonsense", 2, "%2F is a / in a password"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["migrate"], ["dead", "list"]])
def test_a_database_that_is_not_there_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], url: str, code: int, told: str
) -> None:
    monkeypatch.setenv("CONSILIUM_DATABASE_URL", url.format(port=refusing_port()))
    monkeypatch.setenv("CONSILIUM_PORT", str(free_port()))
    ended = subprocess.run([sys.executable, "-m", "consilium", *command], capture_output=True, check=False, text=True)
    assert ended.returncode == code
    assert ended.stderr.splitlines()[-1].endswith(told)
    assert "Traceback" not in ended.stderr


def test_dead_letters_of_an_installation_that_never_ran_are_none(data_dir: Path) -> None:
    result = run(app, ["dead", "list"])
    assert result.exit_code == 1
    assert "Nothing ran" in result.output
    assert list(data_dir.iterdir()) == [], "asking starts no database"


def test_a_token_of_a_key_that_no_server_knows_yet_says_so_beside_it(data_dir: Path) -> None:
    first, second = (run(app, ["token", "--role", "system"]) for _ in range(2))
    assert (f"A new local key was made in {data_dir}: " in first.stderr, second.stderr) == (True, "")
    assert len(first.stdout.splitlines()) == 1


def test_dead_letters_are_listed_as_show_and_replay_want_them_however_narrow_the_terminal(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    now = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    event = "019cac2e-7c5e-7d35-8b6c-8ad2a5a6f1d0"
    letter = DeadLetter(
        event, "notifications.careplans", "careplan.team-changed.v1", "timed-out", 5, now, now, None, b"{}"
    )
    monkeypatch.setattr(dead, "_with_transport", lambda work: [letter])
    _, line = run(app, ["dead", "list"]).output.splitlines()
    assert line.split()[:4] == [letter.queue, event, letter.type, letter.reason]


async def test_migrate_makes_every_database(data_dir: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_DATABASE_URL", database_url)
    assert (await asyncio.to_thread(run, app, ["migrate"])).exit_code == 0
    result = await asyncio.to_thread(run, app, ["dead", "list"])
    assert (result.exit_code, result.output) == (0, "No dead letters.\n")


def test_a_broker_that_is_away_is_one_line_without_what_libraries_log(tmp_path: Path) -> None:
    environment = {"CONSILIUM_AMQP_URL": f"amqp://x@127.0.0.1:{refusing_port()}/", "CONSILIUM_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "consilium", "dead", "list"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines() == ["the broker cannot be reached"]
