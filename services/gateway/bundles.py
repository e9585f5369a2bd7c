"""Bundles at the edge, and asking an owner for a part of one (http://hl7.org/fhir/R4/http.html#transaction)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.gateway.asgi import Answer, ASGIApp, BrokenOff, Scope, call, inner_scope
from services.gateway.outcome import error_answer
from services.gateway.routing import CAREPLANS
from shared.errors import ConsiliumError, Invalid
from shared.fhir.bundle import require_few, status_of
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.outcome import outcome
from shared.status import STATUS

NOTHING = b'{"resourceType":"Bundle","type":"batch","entry":[]}'


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
