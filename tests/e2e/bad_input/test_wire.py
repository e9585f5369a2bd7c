"""What only a socket can say: lying lengths, broken requests, hostile hosts. The server answers and lives on."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.factories.edge import Edge, quiet_edge
from tests.factories.resources import patient

CANARY = "Zq7Canary"
HOSTS = (
    "<script>alert(1)</script>",
    'evil"onload="x',
    "evil.example/path?x=",
    "a b",
    "user:secret@evil.example",
    "x" * 400,
    "[::1",
    "é.example",
)


@pytest.fixture(scope="module")
async def served(postgres: str, templates: dict[str, str]) -> AsyncIterator[tuple[Edge, str]]:
    """A system on a socket, and its URL."""
    async with quiet_edge(postgres, templates, patient(id="p1")) as running, running.served() as url:
        yield running, url


async def said(url: str, octets: bytes, *, ends: bool = True) -> bytes:
    """What the server answers to ``octets``, where the connection ends, or waits for the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        writer.write(octets)
        await writer.drain()
        if ends:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def head(edge: Edge, method: str, target: str, *lines: str) -> bytes:
    """The head of a request by a system."""
    authorization = edge.bearer()["authorization"]
    told = [f"{method} {target} HTTP/1.1", "Host: test", f"Authorization: {authorization}", "Connection: close", *lines]
    return "\r\n".join([*told, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (("Content-Type: application/fhir+json", "Content-Length: 500"), b'{"resourceType":"Patient"}'),
        (("Content-Type: application/fhir+json", "Content-Length: 5"), b'{"resourceType":"Patient"}'),
        (("Content-Length: -1",), b"{}"),
        (("Content-Length: x",), b"{}"),
        (("Content-Length: 99999999999999999999999",), b"{}"),
        (("Content-Length: 2", "Content-Length: 3"), b"{}x"),
        (("Transfer-Encoding: chunked",), b"zz\r\n{}\r\n0\r\n\r\n"),
        (("Transfer-Encoding: chunked",), b"ffffffffffffffff\r\n{}"),
        (("Transfer-Encoding: chunked", "Content-Length: 2"), b"2\r\n{}\r\n0\r\n\r\n"),
        (("Content-Encoding: gzip", "Content-Length: 2"), b"{}"),
        (("Content-Length: 2", f"X-Long: {'x' * 200_000}"), b"{}"),
        (("Content-Length: 2", "Bad header"), b"{}"),
        (("Content-Length: 2", "X-Nul: a\x00b"), b"{}"),
        (("Expect: 200-ok", "Content-Length: 2"), b"{}"),
    ],
)
async def test_a_request_that_lies_stores_nothing(
    served: tuple[Edge, str], lines: tuple[str, ...], body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    running, url = served
    before = await running.rows()
    answer = await said(url, head(running, "POST", "/fhir/Patient", *lines, f"X-Canary: {CANARY}") + body)
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:300]
    assert await running.rows() == before
    await lives(running, url)
    assert CANARY not in "".join(capfd.readouterr())


async def test_criteria_in_utf8_mean_what_they_say(served: tuple[Edge, str]) -> None:
    """curl sends what the shell gave it: unencoded, in the query as in If-None-Exist."""
    running, url = served
    body = json.dumps(patient(identifier=[{"system": "urn:utf", "value": "é1"}])).encode()
    told = ("Content-Type: application/fhir+json", f"Content-Length: {len(body)}")
    criteria = "identifier=urn:utf|é1".encode().decode("latin-1")
    answers = [
        await said(url, head(running, "PUT", f"/fhir/Patient?{criteria}", *told) + body, ends=False),
        await said(url, head(running, "PUT", f"/fhir/Patient?{criteria}", *told) + body, ends=False),
        await said(url, head(running, "POST", "/fhir/Patient", *told, f"If-None-Exist: {criteria}") + body, ends=False),
        await said(url, head(running, "GET", f"/fhir/Patient?{criteria}&_summary=count"), ends=False),
    ]
    assert [answer.split(b" ", 2)[1] for answer in answers] == [b"201", b"200", b"200", b"200"]
    assert b'"total":1' in answers[-1]


@pytest.mark.parametrize("path", ["Patient", "Provenance", "_history", "Patient/p1/$everything"])
async def test_a_query_that_is_no_utf8_is_400(served: tuple[Edge, str], path: str) -> None:
    running, url = served
    answer = await said(url, head(running, "GET", f"/fhir/{path}?identifier=\xe91"), ends=False)
    assert answer.startswith(b"HTTP/1.1 400"), answer[:300]


@pytest.mark.parametrize("target", ["/fhir/Patient", "/fhir", "/fhir/Provenance", "/fhir/Patient/_search"])
async def test_a_body_in_a_coding_is_415(served: tuple[Edge, str], target: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-15.5.16"""
    running, url = served
    told = ("Content-Type: application/fhir+json", "Content-Length: 2", "Content-Encoding: br")
    answer = await said(url, head(running, "POST", target, *told) + b"{}", ends=False)
    assert answer.startswith(b"HTTP/1.1 415"), answer[:300]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /fhir/Patient/p1\r\n\r\n",
        b"GET /fhir/Zq7Canary HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET  /fhir/Zq7Canary  HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://evil.example/fhir/Zq7Canary HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /fhir/\x00Zq7Canary HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /fhir/\xff\xfeZq7Canary HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT evil:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /fhir/metadata HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"GET /fhir/" + b"x" * 300_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
async def test_what_is_no_request_does_no_harm(
    served: tuple[Edge, str], octets: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    running, url = served
    answer = await said(url, octets)
    assert not answer or answer.split(b" ", 2)[1][:1] in (b"2", b"4"), answer[:300]
    await lives(running, url)
    assert CANARY not in "".join(capfd.readouterr())


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("name", ["host", "x-forwarded-host", "x-forwarded-proto"])
async def test_a_hostile_host_is_not_repeated(served: tuple[Edge, str], name: str, host: str) -> None:
    running, _ = served
    headers = {name.encode(): host.encode("utf-8")}
    for method, path, body in (
        ("POST", "/fhir/Patient", patient()),
        ("GET", "/fhir/Patient?_count=1", None),
        ("GET", "/fhir/Patient/p1/_history", None),
        ("GET", "/fhir/metadata", None),
    ):
        answer = await running.ask(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        told = answer.text + str(answer.headers)
        assert "<script" not in told
        assert "evil" not in told
        assert "x" * 300 not in told
        assert "\r" not in answer.headers.get("location", "")


async def test_nobody_tells_others_where_the_server_is(served: tuple[Edge, str]) -> None:
    running, _ = served
    hostile = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"}
    assert "evil" not in (await running.client.get("/fhir/metadata", headers=hostile)).text
    here = str(running.client.base_url).rstrip("/")
    assert f"{here}/fhir" in (await running.client.get("/fhir/metadata")).text
    made = await running.ask("POST", "/fhir/Patient", json=patient(), headers=hostile)
    assert made.headers["location"].startswith(f"{here}/fhir/Patient/")


async def lives(running: Edge, url: str) -> None:
    """The server still answers."""
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/fhir/Patient/p1", headers=running.bearer())
    assert answer.status_code == 200
