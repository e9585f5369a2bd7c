"""Another system, as small as will do: it stores what is posted, by the rules of HTTP, and answers as it is told."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from shared.fhir.app import Receive, Scope, Send

Resource = dict[str, Any]
Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def resource(self) -> Resource:
        """What was sent."""
        found: Resource = json.loads(self.body)
        return found


@dataclass
class Elsewhere:
    """The other system; an ASGI app. ``instead`` may answer in its place, or return None."""

    instead: Callable[[Asked], Awaitable[Answer | None]] | None = None
    asked: list[Asked] = field(default_factory=list)
    stored: dict[str, Resource] = field(default_factory=dict)

    def all(self, type_: str) -> list[Resource]:
        """What is stored of one type."""
        return [each for each in self.stored.values() if each["resourceType"] == type_]

    def change(self, reference: str, **elements: Any) -> None:
        """Somebody over there changes a resource; None takes an element away."""
        old = self.stored[reference]
        new = {key: value for key, value in (old | elements).items() if value is not None}
        self.keep(new, int(old["meta"]["versionId"]) + 1)

    def keep(self, resource: Resource, version: int) -> Answer:
        """Store a version."""
        resource["meta"] = resource.get("meta", {}) | {"versionId": str(version)}
        self.stored[f"{resource['resourceType']}/{resource['id']}"] = resource
        return _fhir(201 if version == 1 else 200, resource)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        path = scope["path"] + (f"?{query}" if (query := scope["query_string"].decode()) else "")
        one = Asked(scope["method"], path, headers, body)
        self.asked.append(one)
        given = await self.instead(one) if self.instead is not None else None
        status, content, more_headers = given or self.answer(one)
        sent = [(name.encode(), value.encode()) for name, value in more_headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": content})

    def answer(self, one: Asked) -> Answer:
        """As HTTP has it."""
        reference, _, query = one.path.removeprefix("/fhir/").partition("?")
        known = self.stored.get(reference)
        match one.method:
            case "POST":
                criteria = unquote(one.headers["if-none-exist"].removeprefix("identifier="))
                found = self._by_identifier(reference, criteria)
                if found:
                    return _fhir(200, found[0])
                number = sum(1 for each in self.stored if each.startswith(f"{reference}/")) + 1
                return self.keep(one.resource | {"id": f"x{number}"}, 1)
            case "GET" if query:
                found = self._by_identifier(reference, parse_qs(query)["identifier"][0])
                return _fhir(
                    200, {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in found]}
                )
            case "GET" if known is not None:
                tag = f'W/"{known["meta"]["versionId"]}"'
                return (304, b"", {}) if one.headers.get("if-none-match") == tag else _fhir(200, known)
            case "PUT" if known is not None:
                version = known["meta"]["versionId"]
                if one.headers.get("if-match") != f'W/"{version}"':
                    return 412, b"", {}
                return self.keep(one.resource, int(version) + 1)
        return 404, b"", {}

    def _by_identifier(self, type_: str, token: str) -> list[Resource]:
        system, _, value = token.partition("|")
        return [
            each
            for each in self.all(type_)
            if any((known.get("system"), known["value"]) == (system, value) for known in each.get("identifier", ()))
        ]


def _fhir(status: int, resource: Resource) -> Answer:
    return status, json.dumps(resource).encode(), {"content-type": "application/fhir+json"}
