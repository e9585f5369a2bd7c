"""$import over three services: lines go to their owners, one report of all; what is told while a service is down."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.gateway import imports
from shared import bodies
from shared.fhir.bulk import receiving
from shared.ids import uuid7
from shared.security.caller import Caller, Role
from tests.eventually import eventually
from tests.factories.bulk import ASYNC
from tests.factories.imports import HEADERS, ndjson, report, sent
from tests.factories.resources import observation, patient
from tests.integration.gateway.whole import Whole

EACH = ["referrals", "careplans", "notifications"]


def of_all(id_: str) -> tuple[Any, ...]:
    """Lines for all services that refer to each other, later ones too; empty ones between them."""
    return (
        {
            "resourceType": "Provenance",
            "id": f"{id_}-said",
            "target": [{"reference": f"Communication/{id_}"}],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"reference": f"Organization/{id_}"}}],
        },
        {
            "resourceType": "Communication",
            "id": id_,
            "status": "completed",
            "subject": {"reference": f"Patient/{id_}"},
            "sender": {"reference": f"Organization/{id_}"},
        },
        b"",
        observation(f"Patient/{id_}", id=id_),
        b" \r",
        patient(id=id_, managingOrganization={"reference": f"Organization/{id_}"}),
        {"resourceType": "Organization", "id": id_, "name": "Clinic"},
    )


async def jobs_left(whole: Whole) -> int:
    """Jobs that are not ended."""
    counts = [
        await engine.pool.fetchval("SELECT count(*) FROM bulk_job WHERE status <> 'cancelled'")
        for engine in whole.engines.values()
    ]
    return sum(counts)


async def chunks_left(whole: Whole) -> int:
    """Chunks of all files."""
    return sum([await engine.pool.fetchval("SELECT count(*) FROM bulk_chunk") for engine in whole.engines.values()])


async def no_jobs(whole: Whole) -> None:
    """Wait until what broke off is forgotten."""

    async def none() -> bool:
        return await jobs_left(whole) + await chunks_left(whole) == 0

    await eventually(none)


async def test_one_import_into_all_services(whole: Whole) -> None:
    """Each line is at its owner, Provenance beside its target; numbers are those of the body."""
    status = await sent(whole.fhir, ndjson(*of_all("one")))
    assert status.startswith(f"{whole.fhir.base_url}bulk-import/")
    assert (await whole.fhir.get(status)).status_code == 202
    await whole.work()
    assert await report(whole.fhir, status) == ([1, 2, 4, 6, 7], {})
    for type_ in ("Communication", "Observation", "Patient", "Organization"):
        assert (await whole.fhir.get(f"{type_}/one")).status_code == 200
    manifest = (await whole.fhir.get(status)).json()
    assert manifest["request"] == f"{whole.fhir.base_url}$import"
    held = await whole.engines["notifications"].pool.fetchval("SELECT count(*) FROM resource WHERE id = 'one-said'")
    assert held == 1


async def test_with_http_between(whole: Whole, apart: httpx.AsyncClient) -> None:
    status = await sent(apart, ndjson(*of_all("two")))
    await whole.work()
    assert await report(apart, status) == ([1, 2, 4, 6, 7], {})


async def test_bad_lines_are_reported_by_their_number(whole: Whole) -> None:
    body = ndjson(
        b"{",
        {"resourceType": "Organization", "id": "clinic", "name": 7},
        b"",
        {"resourceType": "Communication", "id": "c", "status": "bogus"},
        b"[1]",
        {"resourceType": "Nonsense", "id": "n"},
        {"resourceType": "Task", "id": 9},
        patient(id="good"),
        patient(),
        observation("Patient/nobody", id="dangling"),
        {"resourceType": "Provenance", "id": "p", "target": "x"},
        b"\xff",
    )
    status = await sent(whole.fhir, body)
    await whole.work()
    stored, refused = await report(whole.fhir, status)
    assert stored == [8]
    assert sorted(refused) == [1, 2, 4, 5, 6, 7, 9, 10, 11, 12]
    assert refused[2]["expression"] == ["Organization.name"]
    assert refused[4]["expression"] == ["Communication.status"]
    assert refused[7]["expression"] == ["id"]
    assert refused[10]["code"] == "not-found"
    assert "bogus" not in str(refused)


async def test_it_is_not_complete_before_all_parts_are(whole: Whole) -> None:
    status = await sent(whole.fhir, ndjson(*of_all("three")))
    await whole.work("referrals", "careplans")
    answer = await whole.fhir.get(status)
    assert (answer.status_code, answer.headers["x-progress"]) == (202, "notifications: 0 of 2 lines")
    await whole.work("notifications")
    assert (await whole.fhir.get(status)).status_code == 200


@pytest.mark.parametrize("name", EACH)
async def test_it_is_never_complete_while_a_service_is_down(whole: Whole, name: str) -> None:
    status = await sent(whole.fhir, ndjson(*of_all("four")))
    await whole.work()
    whole.switches[name].up = False
    answer = await whole.fhir.get(status)
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (503, "transient")
    whole.switches[name].up = True
    assert (await whole.fhir.get(status)).status_code == 200


@pytest.mark.parametrize("name", EACH)
async def test_an_import_that_one_service_cannot_take_leaves_nothing(whole: Whole, name: str) -> None:
    """Also where that service has nothing to store."""
    whole.switches[name].up = False
    answer = await whole.fhir.post("$import", content=ndjson(patient(id="nowhere")), headers=HEADERS)
    assert answer.status_code == 503
    whole.switches[name].up = True
    await no_jobs(whole)
    await whole.work()
    assert (await whole.fhir.get("Patient/nowhere")).status_code == 404


async def test_a_part_whose_answer_got_lost_is_ended_too(whole: Whole) -> None:
    """It may have been taken: nobody would ever ask for it."""
    switch = whole.switches["notifications"]
    taken = switch.asked

    class Once(list[dict[str, str]]):
        def append(self, headers: dict[str, str]) -> None:
            """The kick-off is not answered; what follows is."""
            switch.answers = False
            asyncio.get_running_loop().call_later(0.5, setattr, switch, "answers", True)

    switch.asked = Once()
    try:
        answer = await whole.fhir.post("$import", content=ndjson(*of_all("lost")), headers=HEADERS)
    finally:
        switch.asked = taken
    assert answer.status_code == 502
    assert await jobs_left(whole) == 0


async def test_cancelling_ends_all_parts(whole: Whole) -> None:
    status = await sent(whole.fhir, ndjson(*of_all("five")))
    await whole.work("careplans")
    whole.switches["referrals"].up = False
    assert (await whole.fhir.delete(status)).status_code == 503, "one part may still be there"
    whole.switches["referrals"].up = True
    assert (await whole.fhir.delete(status)).status_code == 202
    assert (await whole.fhir.get(status)).status_code == 404
    assert (await whole.fhir.delete(status)).status_code == 404
    await whole.work()
    assert (await whole.fhir.get("Organization/five")).status_code == 404
    assert await chunks_left(whole) == 0


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-type": "application/fhir+ndjson"}, b"{}\n", 400),
        (ASYNC | {"content-type": "application/fhir+json"}, b"{}", 415),
        (ASYNC, b"{}", 415),
        (HEADERS | {"content-encoding": "gzip"}, gzip.compress(b"{}\n"), 415),
        (HEADERS, b"x" * 3_000, 413),
        (HEADERS, b"{}\n" * 3_000, 413),
        (HEADERS | {"transfer-encoding": "chunked"}, b"{}\n" * 3_000, 413),
    ],
    ids=["synchronous", "json", "untold", "compressed", "long line", "large", "large, untold"],
)
@pytest.mark.parametrize("over_http", [False, True], ids=["in one process", "over HTTP"])
async def test_what_is_refused(
    whole: Whole,
    apart: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    over_http: bool,
    headers: dict[str, str],
    body: bytes,
    status: int,
) -> None:
    """Nothing is half-stored."""
    monkeypatch.setattr(imports, "LONGEST_LINE", 1_000)
    monkeypatch.setenv("CONSILIUM_BULK_IMPORT_MAX_BYTES", "5000")

    async def in_parts() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    content = in_parts() if "transfer-encoding" in headers else body
    answer = await (apart if over_http else whole.fhir).post("$import", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    await no_jobs(whole)


@pytest.mark.parametrize("size", [0, 300_000])
async def test_people_are_refused(whole: Whole, apart: httpx.AsyncClient, size: int) -> None:
    whole.verifier.caller = Caller("somebody", Role.CLINICIAN)
    for client in (whole.fhir, apart):
        answer = await client.post("$import", content=b"{}\n" * size, headers=HEADERS)
        assert answer.status_code == 403
    await no_jobs(whole)


async def test_it_is_sent_with_post(whole: Whole) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await whole.fhir.request(method, "$import", headers=HEADERS)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await whole.fhir.post("bulk-import/absent")).status_code == 405
    assert (await whole.fhir.get("bulk-import/absent")).status_code == 404
    assert (await whole.fhir.get("bulk-import/absent/nobody-1.ndjson")).status_code == 404


async def test_a_body_that_breaks_off_is_started_nowhere(whole: Whole, apart: httpx.AsyncClient) -> None:
    """All that came was well, and not the whole."""

    async def breaking_off() -> AsyncIterator[bytes]:
        for number in range(3_000):
            yield ndjson(patient(id=f"half-{number}"))
        raise ConnectionAbortedError

    for client in (whole.fhir, apart):
        with pytest.raises(ConnectionAbortedError):
            await client.post("$import", content=breaking_off(), headers=HEADERS)
        await no_jobs(whole)
    await whole.work()
    assert (await whole.fhir.get("Patient/half-0")).status_code == 404


async def test_a_slow_client_does_not_make_a_service_give_up(
    whole: Whole, apart: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For as long as the client sends, however little of it is for that service."""
    monkeypatch.setattr(bodies, "SILENCE_S", 0.5)
    monkeypatch.setattr(imports, "ALIVE_S", 0.1)
    began = asyncio.get_running_loop().time()

    async def slowly() -> AsyncIterator[bytes]:
        for byte in ndjson(patient(id="slow")):
            yield bytes((byte,))
            if asyncio.get_running_loop().time() - began < 1.5:
                await asyncio.sleep(0.2)

    for client in (whole.fhir, apart):
        began = asyncio.get_running_loop().time()
        answer = await client.post("$import", content=slowly(), headers=HEADERS)
        assert answer.status_code == 202, answer.text
        await whole.work()
        assert await report(client, answer.headers["content-location"]) == ([1], {})


async def test_much_is_passed_on_in_order(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many batches, in chunks at each service."""
    monkeypatch.setattr(receiving, "CHUNK_LINES", 50)
    monkeypatch.setattr(imports, "BATCH_LINES", 7)
    kinds = (patient, lambda id: {"resourceType": "Organization", "id": id, "name": "Clinic"}, lambda id: b"")
    status = await sent(whole.fhir, ndjson(*(kinds[number % 3](id=f"m{number}") for number in range(300))))
    await whole.work()
    stored, refused = await report(whole.fhir, status)
    assert (stored, refused) == ([number for number in range(1, 301) if number % 3], {})


async def test_only_who_started_it_hears_of_it(whole: Whole) -> None:
    status = await sent(whole.fhir, ndjson(*of_all("six")))
    await whole.work()
    files = [file["url"] for file in (await whole.fhir.get(status)).json()["output"]]
    assert len(files) == 3
    whole.verifier.caller = Caller("another", Role.SYSTEM)
    for url in (status, *files):
        assert (await whole.fhir.get(url)).status_code == 404
    assert (await whole.fhir.delete(status)).status_code == 404


async def test_what_only_the_gateway_says_does_not_come_from_a_client(whole: Whole) -> None:
    forged = {"x-consilium-part": f"{uuid7()} 2020-01-01T00:00:00+00:00 system", "x-consilium-request": "x"}
    answer = await whole.fhir.post("$import", content=b"", headers=HEADERS | forged)
    assert answer.status_code == 202
    (told,) = whole.switches["careplans"].asked
    assert told["x-consilium-part"] != forged["x-consilium-part"]
    assert told["x-consilium-request"] == "$import"


async def test_the_whole_capability_statement_names_it(whole: Whole) -> None:
    told = (await whole.fhir.get("metadata")).json()
    assert "import" in [operation["name"] for operation in told["rest"][0]["operation"]]
