"""Asking another FHIR server (http://hl7.org/fhir/R4/http.html): conditional creates, guarded updates, reads.

It goes to a partner's address only, through the guard of outgoing connections; redirects are not followed.
"""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from services.referrals.domain.exchange_pace import Trouble
from services.referrals.partners.known import Partner, Partners
from services.referrals.partners.tokens import Tokens
from services.referrals.partners.trouble import PartnerTrouble, body_of
from shared.egress import EgressRefused, GuardedTransport
from shared.errors import Invalid, TooLarge
from shared.fhir.http import FHIR_JSON
from shared.fhir.json import Resource, dumps, received

# httpx names the URL of every request at INFO; a partner's address and its ids are not for logs
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_PLACE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?/?$")
_VERSION = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_CODES = {401: Trouble.CREDENTIALS, 403: Trouble.CREDENTIALS, 404: Trouble.GONE, 408: Trouble.TIMEOUT}
_CODES |= {410: Trouble.GONE, 429: Trouble.HTTP_STATUS, **dict.fromkeys((409, 412, 428), Trouble.CHANGED)}


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses may be connected to, and for how long one step of a request may take, in seconds."""

    allow_http: bool = False
    allow_private: bool = False
    seconds: float = 10.0


class PartnerClient:
    """All partners, over one pool. Every method raises ``PartnerTrouble`` and nothing else."""

    def __init__(self, http: httpx.AsyncClient, partners: Partners, tokens: Tokens, reach: Reach) -> None:
        self._http, self._partners, self._tokens, self._reach = http, partners, tokens, reach

    def partner(self, base: str) -> Partner:
        """The partner at ``base``."""
        if base not in self._partners:
            raise PartnerTrouble(Trouble.NO_PARTNER)
        return self._partners[base]

    async def create(self, base: str, resource: Resource) -> Resource:
        """Create ``resource``, or find what was created before under its first identifier; as it stands there."""
        criteria = f"identifier={_token(resource['identifier'][0])}"
        headers = {"if-none-exist": criteria, "prefer": "return=representation"}
        type_ = resource["resourceType"]
        status, answered, body = await self._ask("POST", base, type_, headers, dumps(resource))
        if status == 412:
            raise PartnerTrouble(Trouble.SEVERAL)
        if status in (404, 405, 410):
            raise PartnerTrouble(Trouble.REFUSED)
        _require(status, 200, 201)
        made = body if _is(body, type_) else None
        if made is None:
            place = _PLACE.search(answered.get("location", ""))
            if place is None or place[1] != type_:
                raise PartnerTrouble(Trouble.NOT_FHIR)
            made = await self.read(base, f"{type_}/{place[2]}")
        return made

    async def read(self, base: str, reference: str) -> Resource:
        """What ``reference`` is there now."""
        found = await self.read_newer(base, reference, None)
        assert found is not None, "only what is known may be unchanged"
        return found

    async def read_newer(self, base: str, reference: str, known: str | None) -> Resource | None:
        """What ``reference`` is there now; None where that is the version ``known``."""
        headers = {"cache-control": "no-cache"} | ({"if-none-match": f'W/"{known}"'} if known else {})
        status, _, body = await self._ask("GET", base, reference, headers)
        if status == 304 and known:
            return None
        _require(status, 200)
        return _of(body, reference.partition("/")[0])

    async def find(self, base: str, type_: str, identifier: Resource) -> Resource | None:
        """The one resource that was created under ``identifier``."""
        status, _, body = await self._ask("GET", base, f"{type_}?identifier={_token(identifier)}", {})
        _require(status, 200)
        entries = _of(body, "Bundle").get("entry")
        listed = entries if isinstance(entries, list) else []
        found = [each.get("resource") for each in listed if isinstance(each, dict)]
        matches = [_of(each, type_) for each in found if _is(each, type_)]
        if len(matches) > 1:
            raise PartnerTrouble(Trouble.SEVERAL)
        return matches[0] if matches else None

    async def update(self, base: str, resource: Resource) -> Resource:
        """Store ``resource``, a changed version of what was read, if nobody changed it since; as it stands there."""
        reference, meta = f"{resource['resourceType']}/{resource['id']}", resource.get("meta")
        version = meta.get("versionId") if isinstance(meta, dict) else None
        if not isinstance(version, str) or not _VERSION(version):
            raise PartnerTrouble(Trouble.NOT_FHIR)
        headers = {"if-match": f'W/"{version}"', "prefer": "return=representation"}
        status, _, body = await self._ask("PUT", base, reference, headers, dumps(resource))
        _require(status, 200, 201)
        return body if _is(body, resource["resourceType"]) else await self.read(base, reference)

    async def _ask(
        self, method: str, base: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> tuple[int, httpx.Headers, Any]:
        """One request: the status, the headers, and the JSON of a success."""
        partner = self.partner(base)
        addresses = (base, partner.token_url or base)
        if not self._reach.allow_http and not all(each.startswith("https://") for each in addresses):
            raise PartnerTrouble(Trouble.EGRESS)
        try:
            sent = {"accept": FHIR_JSON, "accept-encoding": "identity", "user-agent": "consilium", **headers}
            if content is not None:
                sent["content-type"] = FHIR_JSON
            sent |= await self._tokens.header(base, partner)
            async with self._http.stream(method, f"{base}/{path}", headers=sent, content=content) as response:
                status = response.status_code
                body = await body_of(response) if 200 <= status < 300 else b""
        except EgressRefused:
            raise PartnerTrouble(Trouble.EGRESS) from None
        except httpx.TimeoutException:
            raise PartnerTrouble(Trouble.TIMEOUT) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            raise PartnerTrouble(Trouble.CONNECTION) from None
        if status == 401:
            self._tokens.forget(base)
        return status, response.headers, _json(body)


@asynccontextmanager
async def open_client(partners: Partners, reach: Reach) -> AsyncIterator[PartnerClient]:
    """A client of ``partners``, with its connection pool open."""
    # the guard hands hosts to the pool as addresses: a kept connection could serve a name that its TLS did not prove
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
    inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
    transport = GuardedTransport(inner, allow_private=reach.allow_private)
    async with httpx.AsyncClient(
        transport=transport, timeout=reach.seconds, follow_redirects=False, trust_env=False
    ) as http:
        yield PartnerClient(http, partners, Tokens(http), reach)


def _token(identifier: Resource) -> str:
    return quote(f"{identifier['system']}|{identifier['value']}", safe="")


def _require(status: int, *fine: int) -> None:
    if status in fine:
        return
    if 300 <= status < 400:
        raise PartnerTrouble(Trouble.REDIRECT)
    raise PartnerTrouble(_CODES.get(status, Trouble.REFUSED if 400 <= status < 500 else Trouble.HTTP_STATUS))


def _json(body: bytes) -> Any:
    try:
        return received(body) if body else None
    except (Invalid, TooLarge):
        raise PartnerTrouble(Trouble.NOT_FHIR) from None


def _is(body: Any, type_: str) -> bool:
    return isinstance(body, dict) and body.get("resourceType") == type_


def _of(body: Any, type_: str) -> Resource:
    if not _is(body, type_):
        raise PartnerTrouble(Trouble.NOT_FHIR)
    found: Resource = body
    return found
