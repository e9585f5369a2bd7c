"""$export of the system (http://hl7.org/fhir/uv/bulkdata/STU2/export.html)."""

import gzip
import json
from dataclasses import replace

import httpx
import pytest

from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.factories.bulk import ASYNC, exported, fetched, kicked_off, worked
from tests.factories.engine import FixedVerifier
from tests.factories.resources import observation, patient

IG = "http://hl7.org/fhir/uv/bulkdata/STU2/export.html"


async def furnish(fhir: httpx.AsyncClient) -> None:
    """Two patients, an observation, an organization."""
    for resource in (
        patient(id="a"),
        patient(id="b"),
        observation("Patient/a", id="o"),
        {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
    ):
        assert (await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)).status_code == 201


async def test_the_whole_pattern(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """Kick-off, status in progress, complete status, files."""
    await furnish(fhir)
    answer = await fhir.get("$export", headers=ASYNC | {"accept": "application/fhir+json"})
    assert answer.status_code == 202
    status = answer.headers["content-location"]
    assert status.startswith("http://test/fhir/")
    waiting = await fhir.get(status)
    assert waiting.status_code == 202
    assert waiting.headers["x-progress"]
    assert int(waiting.headers["retry-after"]) > 0
    await worked(engine)
    done = await fhir.get(status, headers={"accept": "application/json"})
    assert done.status_code == 200
    assert done.headers["content-type"] == "application/json"
    assert done.headers["expires"].endswith("GMT")
    manifest = done.json()
    assert manifest["request"] == "http://test/fhir/$export"
    assert manifest["requiresAccessToken"] is True
    assert manifest["error"] == []
    assert "deleted" not in manifest
    found = await fetched(fhir, status)
    assert found.names == ["Observation/o", "Organization/clinic", "Patient/a", "Patient/b"]
    for line in found.lines:
        stored = await fhir.get(f"{line['resourceType']}/{line['id']}")
        assert stored.json() == line


async def test_files_are_sent_compressed_to_who_takes_that(fhir: httpx.AsyncClient, engine: Engine) -> None:
    await furnish(fhir)
    found = await exported(fhir, engine, params={"_type": "Patient"})
    (file,) = found.manifest["output"]
    plain = await fhir.get(file["url"], headers={"accept-encoding": "identity", "accept": "application/fhir+ndjson"})
    assert "content-encoding" not in plain.headers
    async with fhir.stream("GET", file["url"], headers={"accept-encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        raw = b"".join([part async for part in packed.aiter_raw()])
    assert gzip.decompress(raw) == plain.content
    head = await fhir.head(file["url"])
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "types", [[("_type", "Patient,Organization")], [("_type", "Patient"), ("_type", "Organization")]]
)
async def test_types(fhir: httpx.AsyncClient, engine: Engine, types: list[tuple[str, str]]) -> None:
    """_type: a list with commas, or several times."""
    await furnish(fhir)
    found = await exported(fhir, engine, params=types)
    assert found.names == ["Organization/clinic", "Patient/a", "Patient/b"]


@pytest.mark.parametrize("form", ["application/fhir+ndjson", "application/ndjson", "ndjson"])
async def test_output_formats(fhir: httpx.AsyncClient, form: str) -> None:
    """_outputFormat: the full content type and its short forms."""
    await kicked_off(fhir, params={"_outputFormat": form})
    assert (await fhir.get(f"$export?_outputFormat={form}", headers=ASYNC)).status_code == 202


async def test_parameters_in_a_body(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """POST with Parameters."""
    await furnish(fhir)
    asked = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "_type", "valueString": "Organization"},
            {"name": "_outputFormat", "valueString": "ndjson"},
        ],
    }
    assert (await exported(fhir, engine, json=asked)).names == ["Organization/clinic"]


@pytest.mark.parametrize(
    ("query", "expression"),
    [
        ("_outputFormat=text/csv", ["_outputFormat"]),
        ("_type=Nonsense", ["_type"]),
        ("_since=yesterday", ["_since"]),
        ("_since=2026-01-01", ["_since"]),
        ("_since=9999-99-99T99:99:99Z", ["_since"]),
        ("_typeFilter=Patient%3Factive%3Dtrue", ["_typeFilter"]),
        ("includeAssociatedData=LatestProvenanceResources", ["includeAssociatedData"]),
        ("_elements=id", ["_elements"]),
        ("patient=Patient/a", ["patient"]),
        ("nonsense=1", None),
    ],
)
async def test_what_is_refused(fhir: httpx.AsyncClient, query: str, expression: list[str] | None) -> None:
    """What is not supported is told, not passed over."""
    answer = await fhir.get(f"$export?{query}", headers=ASYNC)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0].get("expression") == expression


@pytest.mark.parametrize(
    "query", ["_typeFilter=Patient%3Factive%3Dtrue", "_elements=id", "nonsense=1", "_type=Nonsense,Organization"]
)
async def test_lenient_handling_passes_over_what_is_not_supported(
    fhir: httpx.AsyncClient, engine: Engine, query: str
) -> None:
    """Prefer: handling=lenient"""
    await furnish(fhir)
    found = await exported(fhir, engine, f"$export?{query}", headers={"prefer": "respond-async, handling=lenient"})
    assert "Organization/clinic" in found.names


async def test_it_is_asynchronous_or_not_at_all(fhir: httpx.AsyncClient) -> None:
    """Prefer: respond-async is required."""
    answer = await fhir.get("$export")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "required"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"resourceType":"Parameters","parameter":[7]}'])
async def test_bodies_that_are_none(fhir: httpx.AsyncClient, body: bytes) -> None:
    headers = ASYNC | {"content-type": "application/fhir+json"}
    answer = await fhir.post("$export", headers=headers, content=body)
    assert answer.status_code == (400 if body else 202)


async def test_cancelling_deletes_the_files(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """DELETE of the status: 202, and 404 from then on."""
    await furnish(fhir)
    status = await kicked_off(fhir)
    await worked(engine)
    file = (await fhir.get(status)).json()["output"][0]["url"]
    assert (await fhir.delete(status)).status_code == 202
    for url in (status, file):
        assert (await fhir.get(url)).status_code == 404
    assert (await fhir.delete(status)).status_code == 404
    assert await engine.pool.fetchval("SELECT count(*) FROM bulk_chunk") == 0
    assert await engine.pool.fetchval("SELECT count(*) FROM bulk_file") == 0


async def test_a_job_belongs_to_who_started_it(
    fhir: httpx.AsyncClient, engine: Engine, verifier: FixedVerifier
) -> None:
    """Others, of whatever role, are told that there is nothing."""
    await furnish(fhir)
    status = await kicked_off(fhir)
    await worked(engine)
    file = (await fhir.get(status)).json()["output"][0]["url"]
    owner = verifier.caller
    verifier.caller = replace(owner, subject="another")
    for method, url in (("GET", status), ("GET", file), ("DELETE", status)):
        answer = await fhir.request(method, url)
        assert answer.status_code == 404
        assert answer.json()["resourceType"] == "OperationOutcome"
    verifier.caller = owner
    assert (await fhir.get(status)).status_code == 200


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
@pytest.mark.parametrize("path", ["$export", "Patient/$export", "Group/g/$export"])
async def test_it_is_for_back_ends(fhir: httpx.AsyncClient, verifier: FixedVerifier, role: Role, path: str) -> None:
    verifier.caller = Caller("somebody", role)
    assert (await fhir.get(path, headers=ASYNC)).status_code == 403


async def test_no_more_jobs_at_a_time_than_a_setting_says(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """429 and Retry-After."""
    for _ in range(5):
        await kicked_off(fhir)
    answer = await fhir.get("$export", headers=ASYNC)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["issue"][0]["code"] == "throttled"
    await worked(engine)
    await kicked_off(fhir)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "bulk-export/absent", 404),
        ("GET", "bulk-export/absent/everything-1.ndjson", 404),
        ("GET", "bulk-export", 404),
        ("POST", "bulk-export/absent", 405),
        ("DELETE", "bulk-export/absent/everything-1.ndjson", 405),
        ("DELETE", "$export", 405),
        ("GET", "Observation/$export", 404),
        ("GET", "Patient/a/$export", 404),
    ],
)
async def test_addresses(fhir: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await fhir.request(method, path, headers=ASYNC)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("room", ["bulk-export", "bulk-import"])
@pytest.mark.parametrize("id_", ["%00", "a%00", "%FF", "%0A", "absent%0A", "x" * 500])
async def test_what_is_no_id_names_no_job(fhir: httpx.AsyncClient, method: str, room: str, id_: str) -> None:
    """It is not asked for: PostgreSQL takes no NUL in a text."""
    assert (await fhir.request(method, f"{room}/{id_}")).status_code == 404
    if method != "DELETE":
        assert (await fhir.request(method, f"{room}/{id_}/everything-1.ndjson")).status_code == 404


async def test_no_file_but_those_of_the_job(fhir: httpx.AsyncClient, engine: Engine) -> None:
    await furnish(fhir)
    status = await kicked_off(fhir)
    await worked(engine)
    for name in ("everything-99.ndjson", "everything-1", "other-1.ndjson", "everything-1.ndjson.gz", "%2e%2e"):
        assert (await fhir.get(f"{status}/{name}")).status_code == 404


async def test_a_job_that_broke_again_and_again_is_told_so(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """An error status with an OperationOutcome."""
    status = await kicked_off(fhir)
    await engine.pool.execute("UPDATE bulk_job SET attempts = 5")
    await worked(engine)
    answer = await fhir.get(status)
    assert answer.status_code == 500
    assert json.loads(answer.content)["resourceType"] == "OperationOutcome"


async def test_the_capability_statement_names_all_three(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/uv/bulkdata/STU2/CapabilityStatement-bulk-data.html"""
    told = (await fhir.get("metadata")).json()
    assert "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data" in told["instantiates"]
    (rest,) = told["rest"]
    resources = {resource["type"]: resource.get("operation", []) for resource in rest["resource"]}
    base = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
    assert {"name": "export", "definition": f"{base}/export"} in rest["operation"]
    assert {"name": "export", "definition": f"{base}/patient-export"} in resources["Patient"]
    assert {"name": "export", "definition": f"{base}/group-export"} in resources["Group"]
    assert not any(operation["name"] == "export" for operation in resources["Observation"])
