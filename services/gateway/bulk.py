"""Bulk data at the edge: one job in three parts, one at each owner (http://hl7.org/fhir/uv/bulkdata/STU2/export.html).

The gateway keeps nothing. It gives the job its id and its moment and starts a part at every service; status, manifest
and end are asked of all three and merged. While one of them does not answer, nobody is told that the job is complete.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.gateway.asgi import Answer, ASGIApp, BrokenOff, Receive, Scope, call, inner_scope
from services.gateway.bundles import Party, turned_away
from services.gateway.outcome import error_answer
from services.gateway.routing import CAREPLANS
from shared.bodies import read_body
from shared.errors import NotAllowed, NotFound
from shared.fhir.bulk.kick_off import KickOff, chosen, kick_off, members_of
from shared.fhir.bulk.part import HEADER, REQUEST, Reach, header_of, is_job_id
from shared.fhir.http import Request, query_of
from shared.fhir.json import dumps, loads
from shared.ids import uuid7
from shared.security.caller import Caller, Role

EXPORTS, IMPORTS = "/fhir/bulk-export/", "/fhir/bulk-import/"
JOBS = (EXPORTS, IMPORTS)
_KICK_OFF = re.compile(r"/fhir/(?:Patient/|Group/(?P<group>[A-Za-z0-9\-.]{1,64})/)?\$export")
_JSON = (b"content-type", b"application/json")
_NOBODY = Caller("", Role.PATIENT)
"""The services know who calls; nothing here depends on it."""
_OWN = frozenset({HEADER.encode(), REQUEST.encode()})


def is_kick_off(path: str) -> bool:
    """Whether ``path`` is that of an ``$export``."""
    return path.endswith("/$export") and _KICK_OFF.fullmatch(path) is not None


@dataclass(frozen=True, slots=True)
class Bulk:
    """All services, and what is asked of them together."""

    upstreams: Mapping[str, ASGIApp]
    largest: int
    """Bytes of the body of a kick-off."""

    async def start(self, scope: Scope, receive: Receive) -> Answer:
        """202 where all services have their part; else the refusal of one, and nothing is left of the others'.

        Raises ``Invalid``, ``NotSupported``, ``NotAllowed``."""
        if scope["method"] not in ("GET", "POST"):
            raise NotAllowed("An export is started with GET or POST.", methods=("GET", "POST"))
        refusal = await turned_away(Party(self.upstreams, scope))
        if refusal is not None:
            return refusal
        body = await read_body(scope, receive, limit=self.largest) if scope["method"] == "POST" else b""
        match = _KICK_OFF.fullmatch(scope["path"])
        assert match is not None
        reach = (
            Reach.SYSTEM if scope["path"] == "/fhir/$export" else Reach.MEMBERS if match["group"] else Reach.PATIENTS
        )
        wanted = kick_off(_request(scope, body), of_patients=reach is not Reach.SYSTEM)
        patients = wanted.patients
        if reach is Reach.MEMBERS:
            group = await self._ask(CAREPLANS, scope, "GET", f"/fhir/Group/{match['group']}")
            if group.status != 200:
                return group
            patients = chosen(members_of(loads(group.body)), patients)
        id_, told = part_headers(scope, reach)
        asked = dumps(_parameters(wanted, patients))
        answers = await self._all(scope, "POST", "/fhir/$export", headers=told, body=asked)
        return await self.started(scope, f"{EXPORTS}{id_}", answers)

    async def started(self, scope: Scope, path: str, answers: Mapping[str, Answer]) -> Answer:
        """202 where all answered so. Else the refusal, after what was begun has been ended."""
        refused = worst(answers.values(), 202)
        if refused is None:
            first = next(iter(answers.values()))
            where = [header for header in first.headers if header[0].lower() == b"content-location"]
            return Answer(202, b"", tuple(where))
        # whoever broke off may have begun as well
        await self._all(scope, "DELETE", path)
        return refused

    async def job(self, scope: Scope, receive: Receive) -> Answer:
        """The status or the end of a job, of all its parts. Raises ``NotFound``, ``NotAllowed``."""
        if scope["method"] not in ("GET", "HEAD", "DELETE"):
            raise NotAllowed("A job is asked for, or deleted.", methods=("GET", "HEAD", "DELETE"))
        if not is_job_id(scope["path"].split("/")[3]):
            raise NotFound("There is no such job, or it has ended.")
        if scope["method"] == "DELETE":
            return _ended(await self._all(scope, "DELETE", scope["path"]))
        return _status(await self._all(scope, "GET", scope["path"]))

    def holder(self, path: str) -> ASGIApp | None:
        """The service that has the file at ``path``; None where that is a job. Raises ``NotFound``."""
        name = "/".join(path.split("/")[4:])
        if not name:
            return None
        app = self.upstreams.get(name.partition("-")[0])
        if app is None:
            raise NotFound("There is no such file.")
        return app

    async def _all(
        self,
        scope: Scope,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes = b"",
    ) -> dict[str, Answer]:
        told = list(headers)
        asked = (self._ask(name, scope, method, path, headers=told, body=body) for name in self.upstreams)
        return dict(zip(self.upstreams, await asyncio.gather(*asked), strict=True))

    async def _ask(
        self,
        service: str,
        scope: Scope,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes = b"",
    ) -> Answer:
        inner = part_scope(scope, method=method, path=path, headers=headers, json=method == "POST")
        try:
            return await call(self.upstreams[service], inner, body)
        except BrokenOff as error:
            return error_answer(error, path=path, status=502)


def part_headers(scope: Scope, reach: Reach) -> tuple[str, Sequence[tuple[bytes, bytes]]]:
    """A new job's id, and what the kick-off in ``scope`` tells each service about its part."""
    now = datetime.now(UTC)
    id_, moment = uuid7(), now.replace(microsecond=now.microsecond // 1000 * 1000)
    return id_, ((HEADER.encode(), header_of(id_, moment, reach).encode()), (REQUEST.encode(), _relative(scope)))


def part_scope(
    scope: Scope, *, method: str, path: str, headers: Iterable[tuple[bytes, bytes]] = (), json: bool = False
) -> Scope:
    """A request for a part, on behalf of the one in ``scope``; what only the gateway says is not passed on."""
    inner = inner_scope(scope, method=method, path=path, json=json)
    kept = [(name, value) for name, value in inner["headers"] if name.lower() not in (*_OWN, b"accept")]
    inner["headers"] = [*kept, (b"accept", b"application/fhir+json"), *headers]
    return inner


def _request(scope: Scope, body: bytes) -> Request:
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    query = query_of(scope["query_string"])
    return Request(scope["method"], (), _NOBODY, "", query, headers, body)


def _relative(scope: Scope) -> bytes:
    """The URL that was asked, below the base."""
    query: bytes = scope["query_string"]
    path: str = scope["path"].removeprefix("/fhir/")
    return path.encode() + (b"?" + query if query else b"")


def _parameters(wanted: KickOff, patients: frozenset[str] | None) -> dict[str, Any]:
    listed: list[dict[str, Any]] = []
    if wanted.types is not None:
        listed.append({"name": "_type", "valueString": ",".join(wanted.types)})
    if wanted.since is not None:
        listed.append({"name": "_since", "valueInstant": wanted.since.isoformat()})
    listed += [{"name": "patient", "valueReference": {"reference": f"Patient/{id_}"}} for id_ in sorted(patients or ())]
    return {"resourceType": "Parameters", "parameter": listed}


def worst(answers: Iterable[Answer], *well: int) -> Answer | None:
    """The answer that decides for all, where one is none of ``well``: what the caller did wrong before what we did."""
    wrong = [answer for answer in answers if answer.status not in well]
    return min(wrong, key=lambda answer: (answer.status >= 500, answer.status), default=None)


def _ended(answers: Mapping[str, Answer]) -> Answer:
    """202 when one part was still there; a service that did not answer has to be asked again."""
    failed = worst(answers.values(), 202, 404)
    return failed or min(answers.values(), key=lambda answer: answer.status)


def _status(answers: Mapping[str, Answer]) -> Answer:
    failed = worst(answers.values(), 200, 202)
    if failed is not None:
        return failed
    waiting = {name: dict(answer.headers) for name, answer in answers.items() if answer.status == 202}
    if waiting:
        progress = b"; ".join(name.encode() + b": " + told.get(b"x-progress", b"") for name, told in waiting.items())
        retry = max(int(told.get(b"retry-after", b"1")) for told in waiting.values())
        return Answer(202, b"", ((b"x-progress", progress), (b"retry-after", str(retry).encode())))
    parts = [loads(answer.body) for answer in answers.values()]
    manifest = dict(parts[0])
    for element in ("output", "error", "deleted"):
        if element in manifest:
            manifest[element] = [file for part in parts for file in part[element]]
    expires = [header for header in next(iter(answers.values())).headers if header[0].lower() == b"expires"]
    return Answer(200, dumps(manifest), (_JSON, *expires))
