"""A service as the gateway sees it: an ASGI app with a few fixed FHIR answers that remembers what it was asked."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from services.gateway.asgi import Answer, Receive, Scope, Send, send_answer
from services.gateway.bundles import NOTHING
from shared.bodies import read_body
from shared.fhir.json import dumps, loads

_FHIR = (b"content-type", b"application/fhir+json")


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeService:
    """Knows ``resources``; stores nothing."""

    name: str
    types: tuple[str, ...]
    resources: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    refuse: int | None = None
    """The status with which every Bundle is refused."""
    healthy: bool = True
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the reader of the event stream has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path, method = scope["path"], scope["method"]
        if path == f"/api/{self.name}/stream":
            await self._stream(receive, send)
            return
        body = await read_body(scope, receive, limit=1 << 30) if method in ("POST", "PUT", "PATCH") else b""
        if body == NOTHING:
            # whether the caller is let in at all
            await send_answer(self._answer(method, path, body), send)
            return
        self.asked.append(Asked(method, path, scope["query_string"].decode(), headers, body))
        await send_answer(self._answer(method, path, body), send)

    def _answer(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/health/ready":
            return Answer(200 if self.healthy else 503, b"{}")
        if path == "/fhir/metadata":
            return Answer(200, dumps(self._statement()), (_FHIR,))
        if path == "/fhir" and self.refuse:
            return Answer(self.refuse, dumps({"resourceType": "OperationOutcome", "issue": []}), (_FHIR,))
        if path == "/fhir":
            bundle = loads(body)
            entries = [self._entry(entry) for entry in bundle.get("entry", [])]
            told = {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": entries}
            return Answer(200, dumps(told), (_FHIR,))
        told = {"by": self.name, "method": method, "path": path, "size": len(body)}
        return Answer(201 if method == "POST" else 200, dumps(told), (_FHIR, (b"etag", b'W/"1"')))

    def _entry(self, entry: dict[str, Any]) -> dict[str, Any]:
        method, url = entry["request"]["method"], entry["request"]["url"]
        if method != "GET":
            return {"response": {"status": "201", "location": f"{url}/by-{self.name}"}}
        type_, _, query = url.partition("?")
        if not query:
            found = [item for item in self.resources if url == f"{item['resourceType']}/{item['id']}"]
            return {"resource": found[0], "response": {"status": "200"}} if found else {"response": {"status": "404"}}
        value = query.partition("identifier=")[2].partition("&")[0]
        matches = [item for item in self.resources if item["resourceType"] == type_ and item["identifier"] == value]
        searchset = {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [{"resource": item, "search": {"mode": "match"}} for item in matches],
        }
        return {"resource": searchset, "response": {"status": "200"}}

    def _statement(self) -> dict[str, Any]:
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "fhirVersion": "4.0.1",
            "rest": [
                {
                    "mode": "server",
                    "resource": [{"type": type_} for type_ in self.types],
                    "interaction": [{"code": "transaction"}, {"code": "batch"}],
                }
            ],
        }

    async def _stream(self, receive: Receive, send: Send) -> None:
        self.left.clear()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
        message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = dict(await receive())
        self.left.set()
