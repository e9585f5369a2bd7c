"""$everything at the edge: streamed page by page, each thing once, and visibly broken where a service fails."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from services.gateway.asgi import Answer, Receive, Scope, Send, send_answer
from services.gateway.main import Gateway
from services.gateway.outcome import FHIR_JSON
from shared.fhir.json import dumps, loads

BASE = "http://test/fhir"


def shown(name: str, mode: str = "match", refers: str = "") -> dict[str, Any]:
    type_, _, id_ = name.partition("/")
    resource: dict[str, Any] = {"resourceType": type_, "id": id_}
    if refers:
        resource["subject"] = {"reference": refers}
    return {"fullUrl": f"{BASE}/{name}", "resource": resource, "search": {"mode": mode}}


class Part:
    """A service that has ``pages`` of a patient's record, and fails at the page ``broken``."""

    def __init__(self, pages: int, entries: Callable[[int], list[dict[str, Any]]], broken: int | None = None) -> None:
        self.pages, self.entries, self.broken = pages, entries, broken
        self.read: list[int] = []
        self.held: dict[str, dict[str, Any]] = {}
        """What it gives when it is asked by name."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/fhir":
            await send_answer(Answer(200, await self._batch(receive), (FHIR_JSON,)), send)
            return
        page = int(parse_qs(scope["query_string"].decode()).get("page", ["0"])[0])
        self.read.append(page)
        if page == self.broken:
            await send_answer(Answer(503, b"{}"), send)
            return
        here = f"{BASE}/Patient/p/$everything"
        links = [{"relation": "self", "url": here}]
        if page + 1 < self.pages:
            links.append({"relation": "next", "url": f"{here}?page={page + 1}"})
        body = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": self.entries(page)}
        await send_answer(Answer(200, dumps(body), (FHIR_JSON,)), send)

    async def _batch(self, receive: Receive) -> bytes:
        asked = loads((await receive())["body"])["entry"]
        answers = []
        for entry in asked:
            found = self.held.get(entry["request"]["url"])
            answers.append(
                {"resource": found, "response": {"status": "200 OK"}} if found else {"response": {"status": "404"}}
            )
        return dumps({"resourceType": "Bundle", "type": "batch-response", "entry": answers})


NOTHING = Part(1, lambda page: [])


async def ask(
    upstreams: dict[str, Part], on_part: Callable[[bytes], None] = lambda part: None, method: str = "GET"
) -> tuple[int, bytes, bool]:
    """Status, body, and whether the answer was ended."""
    status, parts, whole = 0, list[bytes](), False

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, whole
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))
            whole = not message.get("more_body", False)
            on_part(parts[-1])

    path = "/fhir/Patient/p/$everything"
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "state": {}}
    await Gateway(upstreams)(scope, receive, send)  # type: ignore[arg-type]
    return status, b"".join(parts), whole


def record(pages: int, size: int, broken: int | None = None) -> dict[str, Part]:
    """A long record at careplans, a referral, and nothing at notifications."""
    long = Part(
        pages,
        lambda page: (
            [shown("Patient/p")] * (page == 0)
            + [shown(f"Observation/o{page}-{number}", refers="Practitioner/d") for number in range(size)]
        ),
        broken,
    )
    referrals = Part(
        1, lambda page: [shown("Task/t"), shown("Organization/c", "include"), shown("Organization/c", "include")]
    )
    referrals.held = {
        "Practitioner/d": {"resourceType": "Practitioner", "id": "d", "x": {"reference": "Organization/e"}},
        "Organization/e": {"resourceType": "Organization", "id": "e"},
    }
    return {"referrals": referrals, "careplans": long, "notifications": Part(1, lambda page: [])}


async def test_all_parts_make_one_bundle_with_everything_once() -> None:
    status, body, whole = await ask(record(3, 2))
    bundle = loads(body)
    names = [entry["fullUrl"].removeprefix(f"{BASE}/") for entry in bundle["entry"]]
    assert (status, whole, bundle["type"]) == (200, True, "searchset")
    assert names[0] == "Patient/p"
    assert sorted(names) == sorted(
        ["Patient/p", "Task/t", "Organization/c", "Practitioner/d", "Organization/e"]
        + [f"Observation/o{page}-{number}" for page in range(3) for number in range(2)]
    )
    assert {entry["fullUrl"]: entry["search"]["mode"] for entry in bundle["entry"]}[
        f"{BASE}/Practitioner/d"
    ] == "include"


@pytest.mark.parametrize(("pages", "size"), [(10, 200), (500, 200)])
async def test_a_long_record_is_passed_on_page_by_page(pages: int, size: int) -> None:
    """2,000 and 100,000 resources: what was read is sent before the next page is asked for, so memory stays flat."""
    upstreams = record(pages, size)
    ahead: list[int] = []
    largest = 0

    def note(part: bytes) -> None:
        nonlocal largest
        ahead.append(len(upstreams["careplans"].read))
        largest = max(largest, len(part))

    status, body, whole = await ask(upstreams, note)
    assert (status, whole) == (200, True)
    assert ahead[0] == 1, "the head leaves before the second page is read"
    assert [count for count in ahead if count < pages] == sorted(ahead)[: len([c for c in ahead if c < pages])]
    assert all(count <= number + 1 for number, count in enumerate(ahead)), "no page is read ahead of what was sent"
    assert largest < size * 250
    assert body.count(b'"fullUrl"') == pages * size + 5


@pytest.mark.parametrize("broken", [1, 4])
async def test_a_failure_in_the_middle_leaves_the_answer_without_an_end(broken: int) -> None:
    status, body, whole = await ask(record(5, 2, broken))
    assert (status, whole) == (200, False)
    with pytest.raises(Exception, match="not well-formed"):
        loads(body)


async def test_a_failure_at_the_beginning_is_an_answer_of_its_own() -> None:
    status, body, whole = await ask(record(5, 2, broken=0))
    assert (status, whole) == (503, True)
    assert loads(body)["resourceType"] == "OperationOutcome"


async def test_head_has_no_body() -> None:
    upstreams = record(5, 2)
    assert await ask(upstreams, method="HEAD") == (200, b"", True)
    assert upstreams["careplans"].read == [0]
