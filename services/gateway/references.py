"""Conditional references to types of other services, resolved at the edge (http://hl7.org/fhir/R4/http.html#trules)."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from services.gateway.bundles import Placed
from services.gateway.routing import owner_of
from shared.errors import Issue, PreconditionFailed
from shared.fhir.json import Resource

Ask = Callable[[str, list[str]], Awaitable[list[Resource | None]]]
"""``ask(service, urls)``: the searchset of each search URL; None where the service refused it."""

CHUNK = 100
"""Searches per batch."""
TOLD = 20
"""How many unresolved references an OperationOutcome names."""

_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?\S+")


@dataclass(slots=True)
class Conditional:
    """One conditional reference and every place in the Bundle where it stands."""

    url: str
    owner: str
    holders: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    """Of the entries that hold it; each once."""


def foreign_conditionals(items: Iterable[Placed]) -> list[Conditional]:
    """The conditional references in entries to types that the entry's own service does not own; each URL once."""
    found: dict[str, Conditional] = {}
    for item in items:
        path = f"Bundle.entry[{item.position}].resource"
        stack: list[Any] = [item.entry.get("resource")]
        while stack:
            node = stack.pop()
            if isinstance(node, list):
                stack.extend(node)
            elif isinstance(node, dict):
                stack.extend(value for value in node.values() if isinstance(value, dict | list))
                reference = node.get("reference")
                if isinstance(reference, str) and "?" in reference:
                    _note(found, reference, node, path, item.owner)
    return list(found.values())


def _note(found: dict[str, Conditional], url: str, holder: dict[str, Any], path: str, service: str) -> None:
    known = found.get(url)
    if known is None:
        match = _CONDITIONAL.fullmatch(url)
        owner = owner_of(match.group(1)) if match else None
        if owner is None or owner == service:
            return
        known = found[url] = Conditional(url, owner)
    known.holders.append(holder)
    if not known.paths or known.paths[-1] != path:
        known.paths.append(path)


async def resolve(conditionals: list[Conditional], ask: Ask) -> None:
    """Put the literal reference in every holder's place.

    Raises ``PreconditionFailed`` where one matches none or many; then nothing may be stored."""
    by_owner: dict[str, list[Conditional]] = defaultdict(list)
    for conditional in conditionals:
        by_owner[conditional.owner].append(conditional)
    issues = await asyncio.gather(*(_resolve_at(owner, group, ask) for owner, group in by_owner.items()))
    told = tuple(issue for group in issues for issue in group)
    if told:
        raise PreconditionFailed.of(told[:TOLD])


async def _resolve_at(owner: str, group: list[Conditional], ask: Ask) -> list[Issue]:
    issues: list[Issue] = []
    for start in range(0, len(group), CHUNK):
        chunk = group[start : start + CHUNK]
        searchsets = await ask(owner, [f"{conditional.url}&_count=2" for conditional in chunk])
        for conditional, searchset in zip(chunk, searchsets, strict=True):
            matches = _matches(searchset, conditional.url.partition("?")[0])
            if len(matches) == 1:
                for holder in conditional.holders:
                    holder["reference"] = matches[0]
            else:
                issues.append(_unresolved(conditional, None if searchset is None else len(matches)))
    return issues


def _matches(searchset: Resource | None, type_: str) -> list[str]:
    resources = [
        entry.get("resource", {})
        for entry in (searchset or {}).get("entry", ())
        if entry.get("search", {}).get("mode", "match") == "match"
    ]
    return [f"{type_}/{resource['id']}" for resource in resources if resource.get("resourceType") == type_]


def _unresolved(conditional: Conditional, matches: int | None) -> Issue:
    paths = tuple(conditional.paths[:5])
    if matches is None:
        return Issue("processing", "The search of a conditional reference was refused.", paths)
    if matches == 0:
        return Issue("not-found", "A conditional reference matches no resource.", paths)
    return Issue("multiple-matches", "A conditional reference matches several resources.", paths)
