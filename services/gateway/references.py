"""Conditional references to types of other services, resolved at the edge (http://hl7.org/fhir/R4/http.html#trules)."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from services.gateway.placing import Placed
from services.gateway.routing import owner_of
from shared.errors import ConsiliumError, Forbidden, Invalid, Issue, PreconditionFailed, Unavailable
from shared.fhir.formats import FORMATS
from shared.fhir.search.parse import RESULTS

Ask = Callable[[str, list[str]], Awaitable[list[dict[str, Any]]]]
"""``ask(service, urls)``: the response entry of each search URL."""

CHUNK = 100
"""Searches per batch."""
TOLD = 20
"""How many unresolved references an OperationOutcome names."""

_REFUSALS: Mapping[str, type[ConsiliumError]] = {"400": Invalid, "403": Forbidden}
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?\S+")


@dataclass(slots=True)
class Conditional:
    """One conditional reference and every place in the Bundle where it stands."""

    url: str
    owner: str
    holders: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    """Of the entries that hold it; each once."""

    @property
    def type(self) -> str:
        """The resource type that it names."""
        return self.url.partition("?")[0]

    @property
    def criteria(self) -> str:
        """What selects: all but the parameters that say how results come."""
        return "&".join(pair for pair in self.url.partition("?")[2].split("&") if pair and _selects(pair))


def _selects(pair: str) -> bool:
    name = unquote_plus(pair.partition("=")[0])
    return name.partition(":")[0] not in RESULTS and name not in FORMATS


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

    Raises ``PreconditionFailed`` where one matches none or many, ``Invalid`` or ``Forbidden`` where its service says
    so, ``Unavailable`` where that says nothing; then nothing may be stored."""
    by_owner: dict[str, list[Conditional]] = defaultdict(list)
    for conditional in conditionals:
        by_owner[conditional.owner].append(conditional)
    found = await asyncio.gather(*(_resolve_at(owner, group, ask) for owner, group in by_owner.items()))
    errors = [error for group in found for error in group]
    if errors:
        raise type(errors[0]).of(tuple(issue for error in errors for issue in error.issues)[:TOLD])


async def _resolve_at(owner: str, group: list[Conditional], ask: Ask) -> list[ConsiliumError]:
    errors: list[ConsiliumError] = [_vague(each) for each in group if not each.criteria]
    asked = [each for each in group if each.criteria]
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        answers = await ask(owner, [f"{each.type}?{each.criteria}&_count=2" for each in chunk])
        for conditional, answer in zip(chunk, answers, strict=True):
            try:
                reference = _match(conditional, answer)
            except ConsiliumError as error:
                errors.append(error)
                continue
            for holder in conditional.holders:
                holder["reference"] = reference
    return errors


def _match(conditional: Conditional, answer: Mapping[str, Any]) -> str:
    """The one resource in the ``answer`` to a search, as a reference. Raises as ``resolve`` does."""
    paths = tuple(conditional.paths[:5])
    searchset = answer.get("resource")
    if not isinstance(searchset, dict) or searchset.get("resourceType") != "Bundle":
        raise _refusal(answer.get("response", {}), paths)
    matches = _matches(searchset, conditional.type)
    if not matches:
        raise PreconditionFailed("A conditional reference matches no resource.", code="not-found", expression=paths)
    if len(matches) > 1:
        text = "A conditional reference matches several resources."
        raise PreconditionFailed(text, code="multiple-matches", expression=paths)
    return matches[0]


def _vague(conditional: Conditional) -> Invalid:
    text = "The criteria select nothing in particular."
    return Invalid(text, code="value", expression=tuple(conditional.paths[:5]))


def _refusal(response: Mapping[str, Any], paths: tuple[str, ...]) -> ConsiliumError:
    """What the service said in place of a searchset: what is wrong stands in the entries at ``paths``."""
    status = str(response.get("status", ""))[:3]
    error = _REFUSALS.get(status)
    if error is None:
        return Unavailable("The search of a conditional reference could not be done; nothing was stored.")
    told = response.get("outcome", {}).get("issue", ())
    issues = tuple(Issue(one["code"], one["diagnostics"], paths) for one in told if "diagnostics" in one)
    return error.of(issues) if issues else error("The search of a conditional reference was refused.", expression=paths)


def _matches(searchset: Mapping[str, Any], type_: str) -> list[str]:
    resources = [
        entry.get("resource", {})
        for entry in searchset.get("entry", ())
        if entry.get("search", {}).get("mode", "match") == "match"
    ]
    return [f"{type_}/{resource['id']}" for resource in resources if resource.get("resourceType") == type_]
