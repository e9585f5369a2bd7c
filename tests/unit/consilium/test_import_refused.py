"""An import against a server that does not know our key ends at once, and says what may be wrong."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from consilium.demo.command import demo
from consilium.importing.command import load, verified
from consilium.importing.options import Options
from services.gateway.asgi import Receive, Scope, Send
from tests.listening import listening

HINT = "Is CONSILIUM_DATA_DIR the server's?"


class Stranger:
    """A server that believes nobody: it says so of the whole, or of each entry."""

    def __init__(self, *, entries: int) -> None:
        self.asked, self._entries = 0, entries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        entry = {"response": {"status": "401 Unauthorized"}}
        body = json.dumps({"resourceType": "Bundle", "entry": [entry] * self._entries}).encode()
        status = 200 if self._entries else 401
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, and five units to load."""
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(tmp_path / "data"))
    for number in range(5):
        (tmp_path / f"{number}.json").write_text(json.dumps({"resourceType": "Patient", "id": f"p{number}"}))
    return tmp_path


def lines(console: Console) -> list[str]:
    """What was told; a progress bar leaves an empty line."""
    return [line for line in console.export_text().splitlines() if line]


@pytest.mark.parametrize("entries", [0, 1])
async def test_the_first_401_ends_an_import_with_a_hint(data_dir: Path, entries: int) -> None:
    stranger, console = Stranger(entries=entries), Console(width=300, record=True)
    async with listening(stranger) as base:
        options = Options.of([data_dir], url=f"{base}/fhir", token=None, concurrency=1)
        assert not await load(options, console)
        assert stranger.asked <= 2, "as many as are on their way at once"
        assert not await verified(options, console)
    broken, compared = lines(console)
    assert broken.startswith("Broken off.")
    assert HINT in broken
    assert compared.startswith("Not compared.")
    assert HINT in compared


async def test_the_first_401_ends_a_demo_with_a_hint(data_dir: Path) -> None:
    stranger, console = Stranger(entries=0), Console(width=300, record=True)
    async with listening(stranger) as base:
        assert not await demo(base, [data_dir], console)
    (line,) = lines(console)
    assert HINT in line
    assert stranger.asked <= 2, "as many as are on their way at once"
