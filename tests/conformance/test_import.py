"""$import: NDJSON in, asynchronously, line by line as PUT (docs/bulk-data.md; http://hl7.org/fhir/R4/async.html)."""

import asyncio
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared import bulk
from shared.engine import Engine
from shared.fhir.bulk import receiving
from shared.fhir.bulk.importing import Import
from shared.security.caller import Caller, Role
from tests.eventually import eventually
from tests.factories.bulk import ASYNC, worked
from tests.factories.engine import FixedVerifier, count
from tests.factories.imports import HEADERS, ndjson, report, sent
from tests.factories.resources import care_plan, observation, patient


async def imported(
    fhir: httpx.AsyncClient, engine: Engine, *resources: Any
) -> tuple[list[int], dict[int, dict[str, Any]]]:
    """The report of an import of ``resources``."""
    status = await sent(fhir, ndjson(*resources))
    await worked(engine)
    return await report(fhir, status)


def people(count: int) -> Iterable[dict[str, Any]]:
    """Patients p1 to p``count``."""
    return (patient(id=f"p{number}") for number in range(1, count + 1))


async def test_the_whole_pattern(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """202, status, report; what is stored is as if it had been PUT."""
    status = await sent(fhir, ndjson(patient(id="a"), b" ", observation("Patient/a", id="o")))
    waiting = await fhir.get(status)
    assert waiting.status_code == 202
    assert waiting.headers["x-progress"] == "0 of 2 lines"
    await worked(engine)
    assert await report(fhir, status) == ([1, 3], {})
    stored = (await fhir.get("Observation/o")).json()
    assert stored["meta"]["versionId"] == "1"
    assert (await fhir.get("Observation?subject=Patient/a&_summary=count")).json()["total"] == 1


async def test_each_line_has_its_outcome_and_one_does_not_hinder_another(
    fhir: httpx.AsyncClient, engine: Engine
) -> None:
    stored, refused = await imported(
        fhir,
        engine,
        patient(id="a"),
        b"",
        b"{",
        b"7",
        patient(id="b", gender="bogus"),
        {"resourceType": "Nonsense", "id": "n"},
        patient(),
        observation("Patient/nobody", id="dangling"),
        patient(id="z"),
    )
    assert stored == [1, 9]
    assert sorted(refused) == [3, 4, 5, 6, 7, 8]
    assert refused[5]["expression"] == ["Patient.gender"]
    assert refused[7]["expression"] == ["id"]
    assert refused[8]["code"] == "not-found"
    assert "bogus" not in json.dumps(refused)
    assert (await fhir.get("Patient/z")).status_code == 200


@pytest.mark.parametrize("size", [1, 2, 200])
async def test_the_order_of_lines_does_not_matter(
    fhir: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """What is referred to may come later, in whatever chunk."""
    monkeypatch.setattr(receiving, "CHUNK_LINES", size)
    plan = care_plan("Patient/a", id="plan", basedOn=[{"reference": "CarePlan/before"}])
    stored, refused = await imported(
        fhir, engine, plan, care_plan("Patient/a", id="before"), observation("Patient/a", id="o"), patient(id="a")
    )
    assert (stored, refused) == ([1, 2, 3, 4], {})


async def test_lines_that_refer_to_each_other(fhir: httpx.AsyncClient, engine: Engine) -> None:
    one, other = (
        care_plan("Patient/a", id=id_, replaces=[{"reference": f"CarePlan/{of}"}])
        for id_, of in (("x", "y"), ("y", "x"))
    )
    assert await imported(fhir, engine, patient(id="a"), one, other) == ([1, 2, 3], {})


async def test_it_can_be_repeated(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """The same ids are the same resources."""
    for _ in range(2):
        assert (await imported(fhir, engine, patient(id="a"), patient(id="b")))[0] == [1, 2]
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 2


async def test_the_last_line_of_a_resource_counts(fhir: httpx.AsyncClient, engine: Engine) -> None:
    stored, _ = await imported(fhir, engine, patient(id="a", gender="female"), patient(id="a", gender="male"))
    assert stored == [1, 2]
    found = (await fhir.get("Patient/a")).json()
    assert (found["gender"], found["meta"]["versionId"]) == ("male", "2")


async def test_a_killed_workers_import_goes_on_and_nothing_is_written_twice(
    fhir: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offset is committed with the lines."""
    monkeypatch.setattr(receiving, "CHUNK_LINES", 5)
    status = await sent(fhir, ndjson(*people(100)))
    chunks = 0
    working = Import.chunk

    async def noted(one: Import, text: bytes) -> None:
        nonlocal chunks
        await working(one, text)
        chunks += 1

    monkeypatch.setattr(Import, "chunk", noted)
    doomed = asyncio.create_task(bulk.turn(engine, asyncio.Event(), lease=timedelta(milliseconds=100)))

    async def begun() -> bool:
        return chunks > 3

    await eventually(begun, every=0.001)
    doomed.cancel()
    await asyncio.wait([doomed])
    before = (await fhir.get("Patient?_summary=count")).json()["total"]
    assert 0 < before < 100

    async def taken_up() -> bool:
        return await bulk.turn(engine, asyncio.Event())

    await eventually(taken_up)
    stored, refused = await report(fhir, status)
    assert (stored, refused) == (list(range(1, 101)), {})
    assert await engine.pool.fetchval("SELECT count(*) FROM resource_history WHERE type = 'Patient'") == 100


async def test_cancelling_stops_it(fhir: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored by then stays; what is left is forgotten."""
    monkeypatch.setattr(receiving, "CHUNK_LINES", 5)
    status = await sent(fhir, ndjson(*people(50)))
    chunks = 0
    working = Import.chunk

    async def cancelling(one: Import, text: bytes) -> None:
        nonlocal chunks
        chunks += 1
        if chunks == 3:
            assert (await fhir.delete(status)).status_code == 202
        await working(one, text)

    monkeypatch.setattr(Import, "chunk", cancelling)
    await worked(engine)
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 10
    assert (await fhir.get(status)).status_code == 404
    assert await engine.pool.fetchval("SELECT count(*) FROM bulk_chunk") == 0


async def test_what_was_sent_is_not_kept(fhir: httpx.AsyncClient, engine: Engine) -> None:
    status = await sent(fhir, ndjson(patient(id="a"), observation("Patient/absent", id="o")))
    assert (await fhir.get(f"{status}/everything-10.ndjson")).status_code == 404
    await worked(engine)
    assert await engine.pool.fetchval("SELECT count(*) FROM bulk_file WHERE role = 'input'") == 0
    assert (await fhir.get(f"{status}/everything-1.ndjson")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "application/fhir+ndjson"}, b"", 400),
        (ASYNC | {"content-type": "application/fhir+json"}, b"{}", 415),
        (ASYNC, b"{}", 415),
        (HEADERS | {"content-encoding": "gzip"}, b"{}", 415),
        (HEADERS, b"x" * 3_000, 413),
        (HEADERS, b"x" * 3_000 + b"\n", 413),
        (HEADERS, b"{}\n" * 3_000, 413),
    ],
)
async def test_what_is_refused(
    fhir: httpx.AsyncClient,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    """Nothing is half-stored."""
    monkeypatch.setattr(receiving, "LONGEST_LINE", 1_000)
    monkeypatch.setenv("CONSILIUM_BULK_IMPORT_MAX_BYTES", "5000")
    answer = await fhir.post("$import", content=body, headers=headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await count(database_url, "bulk_chunk") == 0
    assert await count(database_url, "bulk_job WHERE status IN ('running', 'receiving')") == 0


async def test_nothing_at_all(fhir: httpx.AsyncClient, engine: Engine) -> None:
    assert await imported(fhir, engine) == ([], {})


async def test_it_is_for_back_ends_and_its_report_for_who_sent_it(
    fhir: httpx.AsyncClient, engine: Engine, verifier: FixedVerifier
) -> None:
    status = await sent(fhir, ndjson(patient(id="a")))
    await worked(engine)
    verifier.caller = Caller("another", Role.SYSTEM)
    assert (await fhir.get(status)).status_code == 404
    assert (await fhir.delete(status)).status_code == 404
    verifier.caller = Caller("somebody", Role.CLINICIAN)
    assert (await fhir.post("$import", content=b"", headers=HEADERS)).status_code == 403


async def test_uploads_that_a_killed_process_left_do_not_count_for_ever(
    fhir: httpx.AsyncClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSILIUM_BULK_JOBS_PER_CALLER", "1")
    await sent(fhir, ndjson(patient(id="a")))
    await engine.pool.execute("UPDATE bulk_job SET status = 'receiving'")
    assert (await fhir.post("$import", content=b"", headers=HEADERS)).status_code == 429
    await engine.pool.execute("UPDATE bulk_job SET touched_at = touched_at - interval '2 hours'")
    assert await imported(fhir, engine, patient(id="a")) == ([1], {})
