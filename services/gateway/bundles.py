"""Bundles at the edge: who owns each entry, and asking an owner (http://hl7.org/fhir/R4/http.html#transaction)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.gateway.asgi import Answer, ASGIApp, BrokenOff, Scope, call, inner_scope
from services.gateway.outcome import error_answer
from services.gateway.routing import CAREPLANS, owner_of, type_in
from services.gateway.spread import service_of_entry
from shared.engine import SPREAD
from shared.errors import ConsiliumError, Invalid, NotFound, NotSupported
from shared.fhir.bundle import conditions_in, require_few, status_of
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.outcome import outcome
from shared.status import STATUS

READS = frozenset({"GET", "HEAD"})
NOTHING = b'{"resourceType":"Bundle","type":"batch","entry":[]}'
_WHOLE = frozenset({"metadata", "_history"})
METHODS = READS | {"POST", "PUT", "PATCH", "DELETE"}


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, where it stood, and who owns what it is about."""

    position: int
    entry: dict[str, Any]
    owner: str

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        request = self.entry["request"]
        searches = request["method"] == "POST" and request["url"].partition("?")[0].endswith("/_search")
        return request["method"] in READS or searches


@dataclass(frozen=True, slots=True)
class Party:
    """The services and the request on whose behalf they are asked."""

    upstreams: Mapping[str, ASGIApp]
    scope: Scope

    async def send(self, service: str, bundle: bytes, *, prefer: bytes | None = None) -> Answer:
        """The answer of ``service`` to ``bundle``; 502 where it broke off. ``prefer`` in place of the client's."""
        scope = inner_scope(self.scope, method="POST", path="/fhir", json=True)
        if prefer is not None:
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"prefer"]
            scope["headers"] = [*kept, (b"prefer", prefer)]
        try:
            return await call(self.upstreams[service], scope, bundle)
        except BrokenOff as error:
            return error_answer(error, path="/fhir", status=502)


async def turned_away(party: Party) -> Answer | None:
    """The refusal (401, 403) of a caller whom a service does not know; None for others, and when it cannot say.

    Asked with an empty batch, before the body is read: strangers do not get to send megabytes."""
    answer = await party.send(CAREPLANS, NOTHING)
    return answer if answer.status in (401, 403) else None


def parse(bundle: Any) -> Resource:
    """The batch, transaction or message that ``bundle`` is. Raises ``Invalid``, and ``TooLarge`` for many entries."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise Invalid("A Bundle is what this address takes.", code="structure", expression=("Bundle",))
    if bundle.get("type") not in ("batch", "transaction", "message"):
        text = "Only a batch, a transaction or a message can be processed."
        raise Invalid(text, code="value", expression=("Bundle.type",))
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Invalid("Entries come as a list.", code="structure", expression=("Bundle.entry",))
    require_few(entries)
    return bundle


def owners_in(entries: Iterable[object]) -> dict[str, str]:
    """Who owns what each fullUrl stands for; types that live beside their target are left out."""
    found: dict[str, str] = {}
    for entry in entries:
        full_url = entry.get("fullUrl") if isinstance(entry, dict) else None
        request = entry.get("request") if isinstance(entry, dict) else None
        url = request.get("url") if isinstance(request, dict) else None
        if isinstance(full_url, str) and isinstance(url, str) and type_in(url) not in SPREAD:
            owner = owner_of(type_in(url))
            if owner is not None:
                found[full_url] = owner
    return found


def place(position: int, entry: object, beside: Mapping[str, str]) -> Placed:
    """The owner of ``entry``; ``beside`` are those of the others, by fullUrl.

    Raises ``Invalid``, ``NotFound`` or ``NotSupported`` with the entry's path."""
    path = f"Bundle.entry[{position}]"
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(request, dict):
        raise Invalid("The entry says no request.", code="required", expression=(f"{path}.request",))
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in METHODS:
        raise Invalid("The entry's method is none of FHIR's.", code="value", expression=(f"{path}.request.method",))
    if not isinstance(url, str) or not url:
        raise Invalid("The entry says no URL.", code="required", expression=(f"{path}.request.url",))
    conditions_in(request, path)
    if type_in(url) in _WHOLE:
        text = "What all services tell together is asked for by a request of its own, in no Bundle."
        raise NotSupported(text, expression=(f"{path}.request.url",))
    owner = owner_of(type_in(url))
    if owner is None:
        raise NotFound("The entry's URL names no resource type.", expression=(f"{path}.request.url",))
    if type_in(url) in SPREAD:
        owner = service_of_entry(url, entry.get("resource"), beside)
    return Placed(position, entry, owner)


def bundle_of(type_: str, entries: Iterable[dict[str, Any]]) -> bytes:
    """A Bundle on the wire."""
    return dumps({"resourceType": "Bundle", "type": type_, "entry": list(entries)})


def answer_entry(error: ConsiliumError) -> dict[str, Any]:
    """The response entry of an entry that failed with ``error``."""
    return {"response": {"status": status_of(STATUS[error.category]), "outcome": outcome(error.issues)}}


def entries_in(answer: Answer, count: int) -> list[dict[str, Any]]:
    """The ``count`` response entries in a service's answer; where it refused the whole, that refusal for each."""
    content = loads(answer.body) if answer.body else None
    entries = content.get("entry", []) if isinstance(content, dict) and answer.status == 200 else None
    if isinstance(entries, list) and len(entries) == count:
        return entries
    response: dict[str, Any] = {"status": status_of(answer.status if answer.status != 200 else 502)}
    if isinstance(content, dict) and content.get("resourceType") == "OperationOutcome":
        response["outcome"] = content
    return [{"response": response} for _ in range(count)]


_ENTRY = re.compile(r"^Bundle\.entry\[([0-9]+)\]")


def renumbered(answer: Answer, positions: Sequence[int]) -> Answer:
    """An owner's refusal of some of a Bundle's entries, with the ``positions`` that these had in the whole."""
    content = loads(answer.body) if answer.body else None
    if not isinstance(content, dict) or content.get("resourceType") != "OperationOutcome":
        return answer
    renumber(content, positions)
    return replace(answer, body=dumps(content))


def renumber(refusal: Resource, positions: Sequence[int]) -> None:
    """Name in ``refusal``, an OperationOutcome about some of a Bundle's entries, the ``positions`` of these."""
    for issue in refusal.get("issue", ()):
        if "expression" in issue:
            issue["expression"] = [_ENTRY.sub(lambda at: _moved(at, positions), one) for one in issue["expression"]]


def _moved(at: re.Match[str], positions: Sequence[int]) -> str:
    number = int(at[1])
    return f"Bundle.entry[{positions[number]}]" if number < len(positions) else "Bundle.entry"


def in_order(answers: Mapping[int, dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The answers as their entries stood."""
    return [answers[position] for position in sorted(answers)]
