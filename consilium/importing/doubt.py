"""A transaction whose answer was never seen (the run was killed, the connection broke): is it stored or not?"""

from typing import Any

from consilium.importing.server import Server
from consilium.importing.units import Entry, Unit, type_of

ASKED = 50
"""Entries whose identifiers are searched for; the first decides, the others give back their references."""


async def recovered(unit: Unit, server: Server) -> dict[str, str] | None:
    """fullUrl -> ``Type/id`` of what can be found again; None where ``unit`` is not stored, or says no identifier.

    A transaction is stored whole or not at all, so that one entry tells for all. Raises what ``Server.read`` raises."""
    if not unit.atomic:
        return None
    named = [(entry, query) for entry in unit.entries if (query := _query(entry))][:ASKED]
    if not named:
        return None
    answers = await server.read([f"{query}&_count=2" for _, query in named])
    found = [_ids(answer) for answer in answers]
    if not found[0]:
        return None
    return {
        entry["fullUrl"]: f"{type_of(entry)}/{ids[0]}"
        for (entry, _), ids in zip(named, found, strict=True)
        if len(ids) == 1 and "fullUrl" in entry
    }


def _query(entry: Entry) -> str | None:
    """The search for what a plain create would have made; None for other entries."""
    request, resource = entry["request"], entry.get("resource", {})
    if request["method"] != "POST" or "ifNoneExist" in request:
        return None
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        if isinstance(identifier, dict) and identifier.get("system") and identifier.get("value"):
            return f"{type_of(entry)}?identifier={identifier['system']}|{identifier['value']}"
    return None


def _ids(answer: dict[str, Any]) -> list[str]:
    matches = (answer.get("resource") or {}).get("entry", [])
    return [str(match["resource"]["id"]) for match in matches if match.get("search", {}).get("mode") == "match"]
