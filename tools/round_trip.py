"""Create every resource found in folders on a running server, read it back and compare: ``python -m tools.round_trip``.

Resources stand alone or in Bundles; a Bundle is created as a resource, too. What a resource refers to is put there
first: the resource of that id where the folders hold it, else the least that its type demands.
"""

import argparse
import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from shared.errors import ConsiliumError
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.references import references
from tests.unit.shared.fhir.validate.instances import minimal

JSON = {"content-type": "application/fhir+json"}


@dataclass(frozen=True, slots=True)
class Example:
    """A resource and where it was found."""

    where: str
    resource: Resource


@dataclass
class RoundTrip:
    """The examples, the server, and what became of them."""

    client: httpx.AsyncClient
    examples: list[Example]
    there: set[str] = field(default_factory=set)
    loaded: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Every example, one after the other."""
        known = {reference_to(example.resource): example.resource for example in self.examples}
        for example in self.examples:
            await self._furnish(example.resource, known, frozenset())
            await self._create(example)

    async def _create(self, example: Example) -> None:
        type_ = str(example.resource["resourceType"])
        answer = await self.client.post(type_, content=dumps(example.resource), headers=JSON)
        if answer.status_code != 201:
            self.refused.append(f"{example.where} {type_}: {answer.status_code} {reasons(answer)}")
            return
        read = await self.client.get(answer.headers["location"].split("/_history/")[0])
        if exact(content(loads(read.content))) != exact(content(example.resource)):
            self.changed.append(f"{example.where} {type_}")
            return
        self.loaded[type_] += 1

    async def _furnish(self, resource: Resource, known: dict[str, Resource], above: frozenset[str]) -> None:
        """Put there what ``resource`` refers to; ``above`` is on its way and would lead in circles."""
        for reference in targets(resource):
            if reference in self.there or reference in above:
                continue
            wanted = known.get(reference)
            if wanted is not None:
                await self._furnish(wanted, known, above | {reference})
            type_, _, id_ = reference.partition("/")
            for body in (wanted, minimal(type_) | {"id": id_}):
                if body is not None and (await self._put(reference, body)):
                    break
            else:
                print(f"no {reference}", file=sys.stderr)
            self.there.add(reference)

    async def _put(self, reference: str, body: Resource) -> bool:
        answer = await self.client.put(reference, content=dumps(body), headers=JSON)
        return answer.status_code in (200, 201)


def examples_in(paths: list[Path]) -> Iterator[Example]:
    """Every resource in the JSON files of ``paths``, with the entries of Bundles."""
    for path in paths:
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            try:
                found = loads(file.read_bytes())
            except ConsiliumError as error:
                print(f"{file}: {error}", file=sys.stderr)
                continue
            if not isinstance(found, dict) or found.get("resourceType") not in RESOURCE_TYPES:
                continue
            yield Example(file.name, found)
            for number, entry in enumerate(found.get("entry", ()) if found["resourceType"] == "Bundle" else ()):
                if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                    yield Example(f"{file.name}[{number}]", entry["resource"])


def reference_to(resource: Resource) -> str:
    """``Type/id``."""
    return f"{resource['resourceType']}/{resource.get('id')}"


def targets(resource: Resource) -> Iterator[str]:
    """What ``resource`` refers to by type and id, without versions."""
    for reference in references(resource):
        parts = reference.split("/")
        if len(parts) in (2, 4) and parts[0] in RESOURCE_TYPES:
            yield "/".join(parts[:2])


def content(resource: Resource) -> Resource:
    """All but ``id`` and ``meta``."""
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


def exact(value: Any) -> Any:
    """``value`` so that 1.10 differs from 1.1."""
    if isinstance(value, dict):
        return {name: exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [exact(one) for one in value]
    return ("decimal", str(value)) if isinstance(value, Decimal) else value


def reasons(answer: httpx.Response) -> str:
    """What an OperationOutcome says."""
    issues = answer.json().get("issue", ())
    return "; ".join(f"{issue.get('diagnostics')} {issue.get('expression', '')}" for issue in issues)


async def main(paths: list[Path], url: str, token: str | None) -> bool:
    """Print what was loaded, changed and refused; whether nothing was changed or refused."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    base = url.rstrip("/") + "/"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60, trust_env=False) as client:
        trip = RoundTrip(client, list(examples_in(paths)))
        await trip.run()
    print(f"{len(trip.examples)} found, {trip.loaded.total()} equal, {len(trip.changed)} changed")
    for text in (*trip.changed, f"{len(trip.refused)} refused", *trip.refused):
        print(text)
    return not trip.changed and not trip.refused


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8080/fhir")
    parser.add_argument("--token", default=os.environ.get("CONSILIUM_TOKEN"))
    arguments = parser.parse_args()
    sys.exit(0 if asyncio.run(main(arguments.paths, arguments.url, arguments.token)) else 1)
