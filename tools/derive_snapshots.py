"""Derive ``tests/interop/validator/us-core.json``: what an independent validator needs of US Core's profiles.

``python -m tools.derive_snapshots GUIDE NAME...``: ``GUIDE`` is a folder with the StructureDefinitions of US Core 7.0.0
(http://hl7.org/fhir/us/core/STU7/) with snapshots; ``NAME`` is the last part of a profile's URL. Texts are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_OF_PROFILE = ("resourceType", "url", "version", "name", "status", "kind", "abstract", "type", "derivation")
_OF_ELEMENT = ("id", "path", "sliceName", "min", "max", "base", "type", "contentReference")
_OF_PARTS = {"slicing": ("discriminator", "ordered", "rules"), "binding": ("strength", "valueSet")}


def stripped(element: Json) -> Json:
    """One element of a snapshot without its texts."""
    kept = {name: element[name] for name in _OF_ELEMENT if name in element}
    kept |= {name: value for name, value in element.items() if name.startswith(("fixed", "pattern"))}
    for name, members in _OF_PARTS.items():
        if name in element:
            kept[name] = {member: element[name][member] for member in members if member in element[name]}
    rules = [rule for rule in element.get("constraint", ()) if "expression" in rule]
    if rules:
        kept["constraint"] = [{member: rule[member] for member in ("key", "severity", "expression")} for rule in rules]
    return kept


def derive(guide: Path, names: list[str]) -> list[Json]:
    """The profiles, in the order of ``names``."""
    found = []
    for name in names:
        structure = json.loads((guide / f"StructureDefinition-{name}.json").read_text(encoding="utf-8"))
        profile = {member: structure[member] for member in _OF_PROFILE if member in structure}
        profile["snapshot"] = {"element": [stripped(each) for each in structure["snapshot"]["element"]]}
        found.append(profile)
    return found


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "tests/interop/validator/us-core.json"
    lines = (json.dumps(each, separators=(",", ":")) for each in derive(Path(sys.argv[1]), sys.argv[2:]))
    target.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
