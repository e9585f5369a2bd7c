"""``consilium import`` says what was refused and why, never what stood there."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console

from consilium.importing.command import load, verified
from consilium.importing.options import Options
from shared.fhir.json import dumps
from tests.e2e.canaries import CANARY, ID, NUMBER, canary_patient
from tests.e2e.test_privacy import carries, points, spans
from tests.factories.edge import Edge, quiet_edge
from tests.factories.resources import bundle, entry, observation

BAD = (
    canary_patient(gender=CANARY),
    canary_patient() | {f"{CANARY} {NUMBER}": CANARY},
    canary_patient(resourceType=CANARY),
    observation(f"Patient/{ID}-absent", note=[{"text": CANARY}]),
    observation(f"Patient?identifier={CANARY}-absent"),
)


@pytest.fixture(scope="module")
async def served(postgres: str, templates: dict[str, str]) -> AsyncIterator[tuple[Edge, str]]:
    """A system on a socket, and its URL."""
    async with quiet_edge(postgres, templates) as running, running.served() as url:
        yield running, url


async def test_an_import_that_is_refused_tells_no_content(
    served: tuple[Edge, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen, url = served
    folder = tmp_path / "files"
    folder.mkdir()
    for number, resource in enumerate(BAD):
        (folder / f"{number}.json").write_bytes(dumps(resource))
        whole = bundle("transaction", entry("POST", str(resource["resourceType"]), resource, f"urn:uuid:{CANARY}"))
        (folder / f"bundle-{number}.json").write_bytes(dumps(whole))
    (folder / "cut.json").write_bytes(f'{{"resourceType": "{CANARY}'.encode())
    (folder / "lines.ndjson").write_bytes(dumps(BAD[0]) + b"\n" + CANARY.encode() + b"\n")
    token = seen.bearer()["authorization"].removeprefix("Bearer ")
    options = Options((folder,), f"{url}/fhir", token, tmp_path / "journal.jsonl")
    told = io.StringIO()
    console = Console(file=told, width=250)
    assert not await load(options, console)
    await verified(options, console)
    assert "refused" in told.getvalue()
    shown = told.getvalue() + "".join(capfd.readouterr())
    assert not carries(shown), [line for line in shown.splitlines() if carries(line)]
    assert [line for line in seen.lines if carries(line)] == []
    assert [text for text in (*spans(seen), *points(seen)) if carries(text)] == []
