"""Are the files on the server? Search counts per type, and per patient and type, against a count over the files."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from consilium.importing.journal import Journal
from consilium.importing.references import literal
from consilium.importing.server import Server
from consilium.importing.split import parts
from consilium.importing.units import Entry, Unit, type_of
from services.gateway.routing import owner_of

ABOUT = ("subject", "patient", "target")
"""The elements that name the patient whom a resource is about; ``target`` for Provenance."""

Key = tuple[str, str | None]
"""(type, ``Patient/id`` or None for all)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A count that is not what the files say."""

    type: str
    patient: str | None
    in_files: int
    on_server: int | None


def counted(units: list[Unit], journal: Journal) -> Counter[Key]:
    """How many distinct resources the loaded entries make, by type, and by type and patient."""
    patients: dict[str, tuple[str, frozenset[str]]] = {}
    for unit in units:
        pieces = parts(unit, owner_of) or []
        made = {url: name for piece in pieces for url, name in _made(piece, journal).items()}
        for piece in pieces:
            for position, entry in enumerate(piece.entries):
                name = made.get(entry.get("fullUrl", "")) or _name(entry) or f"{piece.digest}#{position}"
                # a later file's version of the same resource is what the server has in the end
                patients[name] = (type_of(entry), frozenset(_about(entry, made)))
    known = {name for name, (type_, _) in patients.items() if type_ == "Patient"}
    counts: Counter[Key] = Counter()
    for type_, about in patients.values():
        counts[type_, None] += 1
        counts.update((type_, patient) for patient in about & known)
    return counts


async def compare(units: list[Unit], journal: Journal, server: Server) -> tuple[int, list[Difference]]:
    """How many counts were compared, and those that differ. Raises what ``Server.read`` raises."""
    expected = counted(units, journal)
    keys = sorted(expected, key=lambda key: (key[0], key[1] or ""))
    answers = await server.read([_search(key) for key in keys])
    totals = [answer.get("resource", {}).get("total") for answer in answers]
    differences = [
        Difference(key[0], key[1], expected[key], total)
        for key, total in zip(keys, totals, strict=True)
        if total != expected[key]
    ]
    return len(keys), differences


def _search(key: Key) -> str:
    type_, patient = key
    about = f"patient={patient}&" if patient else ""
    return f"{type_}?{about}_total=accurate&_count=1"


def _made(piece: Unit, journal: Journal) -> dict[str, str]:
    done = journal.done(piece.digest)
    return dict(done.made) if done else {}


def _name(entry: Entry) -> str | None:
    return str(entry["request"]["url"]) if entry["request"]["method"] == "PUT" else None


def _about(entry: Entry, made: dict[str, str]) -> set[str]:
    resource = entry.get("resource", {})
    found: set[str] = set()
    for element in ABOUT if resource.get("resourceType") == "Provenance" else ABOUT[:2]:
        value: Any = resource.get(element)
        for reference in value if isinstance(value, list) else [value]:
            if isinstance(reference, dict) and isinstance(reference.get("reference"), str):
                name = made.get(reference["reference"]) or literal(reference["reference"])
                if name and name.startswith("Patient/"):
                    found.add(name)
    return found
