"""What a file holds, as units that are sent whole: Bundles, single resources, bare entries, NDJSON."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import ConsiliumError
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import Resource, dumps, loads

Entry = dict[str, Any]
NO_TYPE = "no R4 type"
LINES_PER_UNIT = 200
"""Resources of an NDJSON file that are sent together."""

_AS_CONTENT = frozenset({"collection", "searchset", "document", "message"})


@dataclass(frozen=True, slots=True)
class Unit:
    """Entries that are sent as one Bundle. ``atomic``: a transaction, else a batch."""

    source: str
    """The file, with the lines for NDJSON."""
    atomic: bool
    entries: tuple[Entry, ...]

    @property
    def digest(self) -> str:
        """A name for this content, for the journal."""
        return hashlib.sha256(dumps([self.atomic, self.entries])).hexdigest()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, or a part of one, that holds no FHIR that can be loaded."""

    source: str
    reason: str


@dataclass(slots=True)
class Reading:
    """Everything found below the given paths, in the order of the paths."""

    units: list[Unit] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def read(paths: Iterable[Path]) -> Reading:
    """The units in files and folders, whatever is in them. Raises ``OSError`` for a file that cannot be opened."""
    reading = Reading()
    for path in paths:
        for file in _files(path):
            name = str(file.relative_to(path.parent))
            found = _lines(file, name) if file.suffix == ".ndjson" else _document(file, name)
            for item in found:
                if isinstance(item, Unit):
                    reading.units.append(item)
                else:
                    reading.unreadable.append(item)
    return reading


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix in (".json", ".ndjson") and file.is_file())
    return [path]


def _document(file: Path, name: str) -> Iterator[Unit | Unreadable]:
    try:
        content = loads(file.read_bytes())
    except ConsiliumError as error:
        yield Unreadable(name, str(error))
        return
    yield from units_of(content, name)


def units_of(content: object, name: str) -> Iterator[Unit | Unreadable]:
    """The units in one decoded JSON document."""
    if not isinstance(content, dict):
        yield Unreadable(name, "not a FHIR resource: no JSON object")
    elif content.get("resourceType") == "Bundle":
        yield _bundle(content, name)
    elif isinstance(content.get("resourceType"), str):
        yield Unit(name, True, (entry_of(content),))
    elif isinstance(content.get("resource"), dict) and isinstance(content["resource"].get("resourceType"), str):
        yield Unit(name, True, (content if _requests(content) else entry_of(content["resource"]),))
    else:
        yield Unreadable(name, "not a FHIR resource: no resourceType")


def _bundle(bundle: Resource, name: str) -> Unit | Unreadable:
    entries = bundle.get("entry", [])
    type_ = bundle.get("type")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return Unreadable(name, "a Bundle whose entries are no list of objects")
    if type_ in ("transaction", "batch"):
        if not all(_requests(entry) for entry in entries):
            return Unreadable(name, f"a {type_} with an entry that says no request")
        return Unit(name, type_ == "transaction", tuple(entries))
    if type_ in _AS_CONTENT:
        held = [entry for entry in entries if isinstance(entry.get("resource"), dict)]
        return Unit(name, True, tuple(entry_of(entry["resource"], entry.get("fullUrl")) for entry in held))
    return Unreadable(name, "a Bundle of a type that cannot be loaded")


def _lines(file: Path, name: str) -> Iterator[Unit | Unreadable]:
    entries: list[Entry] = []
    first = 1
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                resource = loads(line)
            except ConsiliumError as error:
                yield Unreadable(f"{name}:{number}", str(error))
                continue
            if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                yield Unreadable(f"{name}:{number}", "not a FHIR resource: no resourceType")
                continue
            entries.append(entry_of(resource))
            if len(entries) == LINES_PER_UNIT:
                yield Unit(f"{name}:{first}-{number}", False, tuple(entries))
                entries, first = [], number + 1
    if entries:
        yield Unit(f"{name}:{first}-", False, tuple(entries))


def entry_of(resource: Resource, full_url: str | None = None) -> Entry:
    """The entry that stores ``resource``: under its id where it has one, else under a new one."""
    type_, id_ = resource["resourceType"], resource.get("id")
    request = {"method": "PUT", "url": f"{type_}/{id_}"} if id_ else {"method": "POST", "url": type_}
    entry: Entry = {"resource": resource, "request": request}
    return {"fullUrl": full_url, **entry} if full_url else entry


def _requests(entry: Entry) -> bool:
    request = entry.get("request")
    return isinstance(request, dict) and isinstance(request.get("method"), str) and isinstance(request.get("url"), str)


def type_of(entry: Entry) -> str:
    """The resource type that an entry is about; ``NO_TYPE`` for what is none, which may be anything from a file."""
    resource = entry.get("resource")
    if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
        type_ = str(resource["resourceType"])
    else:
        type_ = str(entry["request"]["url"]).split("/")[0].split("?")[0]
    return type_ if type_ in RESOURCE_TYPES else NO_TYPE
