"""Derive ``shared/fhir/definitions/profiles.json`` from implementation guides (http://hl7.org/fhir/R4/profiling.html).

``python -m tools.derive_profiles R4 GUIDE...``: ``R4`` is ``package/dist/fhir/r4`` of the npm package that
``derive_structure`` reads; each ``GUIDE`` is a folder with the StructureDefinitions, ValueSets and CodeSystems of one
guide in JSON (US Core 7.0.0, SDOH Clinical Care 3.0.0, BSeR), those first on which the others build.

Only facts are kept, and only those that R4 itself does not have: cardinality, types, reference targets by type, fixed
and pattern values, slices and what tells them apart, bindings, expressions of invariants. A definition with a snapshot
is reduced to what differs from R4; one without is laid over what was found for its base.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.derive_structure import DEFINITIONS, concepts, resources

Json = dict[str, Any]

LARGEST = 1500
"""Codes of a value set that an element is bound to with less than ``required``; a larger one is left out."""

CDC_RACE = "urn:oid:2.16.840.1.113883.6.238"
UNKNOWN: dict[str, list[str] | None] = {"http://terminology.hl7.org/CodeSystem/v3-NullFlavor": ["ASKU", "UNK"]}
VSAC = "http://cts.nlm.nih.gov/fhir/ValueSet/"
LISTED: dict[str, dict[str, list[str] | None]] = {
    VSAC + "2.16.840.1.114222.4.11.836": {CDC_RACE: ["1002-5", "2028-9", "2054-5", "2076-8", "2106-3", "2131-1"]},
    VSAC + "2.16.840.1.114222.4.11.837": {CDC_RACE: ["2135-2", "2186-5"]},
    VSAC + "2.16.840.1.113762.1.4.1021.102": UNKNOWN,
    VSAC + "2.16.840.1.113762.1.4.1021.24": {
        "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender": ["F", "M"],
        "http://terminology.hl7.org/CodeSystem/v3-NullFlavor": ["ASKU", "OTH", "UNK"],
    },
    "http://terminology.hl7.org/ValueSet/v3-UnitsOfMeasureCaseSensitive": {"http://unitsofmeasure.org": None},
}
"""Value sets that no guide ships: of https://vsac.nlm.nih.gov those whose few codes US Core's pages name, and UCUM."""

OF_R4 = ("profiles-types.json", "profiles-resources.json")
TERMS = ("valuesets.json", "v3-codesystems.json", "v2-tables.json")


def bare(canonical: str) -> str:
    """A canonical URL without its version."""
    return canonical.split("|")[0]


class Terms:
    """Value sets and code systems of R4 and of the guides."""

    def __init__(self) -> None:
        self.sets: dict[str, Json] = {}
        self.systems: dict[str, Json] = {}

    def add(self, resource: Json) -> None:
        """Take ``resource`` if it is one of the two; of several with one URL the first that has content counts."""
        if resource["resourceType"] == "ValueSet" and "compose" in resource:
            self.sets.setdefault(resource["url"], resource)
        elif resource["resourceType"] == "CodeSystem" and resource.get("content") == "complete":
            self.systems.setdefault(resource["url"], resource)

    def expand(self, url: str, seen: tuple[str, ...] = ()) -> dict[str, list[str] | None]:
        """System -> codes; None where only the system is known, and under ``""`` where not even that is."""
        if bare(url) in LISTED:
            return {system: codes and list(codes) for system, codes in LISTED[bare(url)].items()}
        value_set = self.sets.get(bare(url))
        if value_set is None or url in seen:
            return {"": None}
        found: dict[str, list[str] | None] = {}
        for include in value_set["compose"].get("include", []):
            for system, codes in self._include(include, (*seen, url)).items():
                known = found.get(system, [])
                found[system] = None if known is None or codes is None else known + codes
        for exclude in value_set["compose"].get("exclude", []):
            left_out = self._include(exclude, (*seen, url))
            if None in left_out.values():
                return dict.fromkeys(found)
            for system, codes in left_out.items():
                found[system] = [code for code in found.get(system) or [] if code not in (codes or [])]
        return {system: None if codes is None else sorted(set(codes)) for system, codes in sorted(found.items())}

    def _include(self, include: Json, seen: tuple[str, ...]) -> dict[str, list[str] | None]:
        if "system" not in include:
            first, *others = (self.expand(url, seen) for url in include["valueSet"])
            return {"": None} if others else first
        if "valueSet" in include:
            return {include["system"]: None}
        return {include["system"]: self._codes(include)}

    def _codes(self, include: Json) -> list[str] | None:
        if "concept" in include:
            return [concept["code"] for concept in include["concept"]]
        system = self.systems.get(include["system"])
        if system is None or "concept" not in system:
            return None
        below = system["concept"]
        for filter_ in include.get("filter", []):
            if filter_["op"] != "is-a" or system.get("hierarchyMeaning", "is-a") != "is-a":
                return None
            below = [each for each in nodes(below) if each["code"] == filter_["value"]]
        return list(concepts(below))


def nodes(of: list[Json]) -> Iterator[Json]:
    """All concepts of a code system, depth first."""
    for concept in of:
        yield concept
        yield from nodes(concept.get("concept", []))


class Table:
    """What is being derived."""

    def __init__(self, r4: Path, guides: list[Path]) -> None:
        self.terms = Terms()
        self.base: dict[str, Json] = {}
        self.types: dict[str, str] = {}
        self.keys: set[str] = set()
        self.known: dict[str, Json] = {}
        self.profiles: dict[str, Json] = {}
        self.sets: dict[str, Any] = {}
        self.invariants: dict[str, list[str]] = {}
        for guide in guides:
            for file in sorted(guide.glob("*.json")):
                resource = json.loads(file.read_text(encoding="utf-8"))
                if not isinstance(resource, dict) or "resourceType" not in resource:
                    continue
                self.terms.add(resource)
                if resource["resourceType"] == "StructureDefinition":
                    self.known[resource["url"]] = resource
        self.own = list(self.known)
        for file_name in TERMS:
            for resource in resources(r4, file_name):
                self.terms.add(resource)
        for file_name in OF_R4:
            for structure in resources(r4, file_name):
                if structure["resourceType"] == "StructureDefinition":
                    self.types[structure["url"]] = structure["type"]
                    for element in structure["snapshot"]["element"]:
                        self.base.setdefault(element["path"], element)
                        self.keys.update(rule["key"] for rule in element.get("constraint", ()))
        for file_name in ("extension-definitions.json", "profiles-others.json"):
            for structure in resources(r4, file_name):
                if structure["resourceType"] == "StructureDefinition":
                    self.known.setdefault(structure["url"], structure)
        self.types |= {url: structure["type"] for url, structure in self.known.items()}

    def profile(self, url: str) -> Json | None:
        """The facts of one profile, derived once; None for one that is not in the material."""
        structure = self.known.get(url)
        if structure is None or url in self.profiles:
            return self.profiles.get(url)
        rows: dict[str, Json] = {}
        if "snapshot" in structure:
            elements = structure["snapshot"]["element"]
        else:
            above = self.profile(bare(structure["baseDefinition"]))
            if above is not None:
                rows = {path: dict(row) for path, row in above["elements"].items()}
            elements = structure["differential"]["element"]
        for element in elements:
            row = self.row(element)
            path = self.path(element, structure["type"])
            if row:
                rows[path] = merged(rows.get(path, {}), row)
        facts = {"type": structure["type"], "elements": rows}
        if structure.get("abstract"):
            facts["abstract"] = True
        self.profiles[url] = facts
        for row in list(rows.values()):
            for other in row.get("profiles", ()):
                self.profile(other)
        return facts

    def path(self, element: Json, type_: str) -> str:
        """The element's id below the type, a choice always as ``value[x]:valueQuantity``; empty for the root."""
        return ".".join(element["id"].split(".")[1:])

    def of_r4(self, element: Json) -> Json:
        """The element as R4 defines it; a snapshot names it, for a datatype's element that is seen through another."""
        named = element.get("base", {}).get("path", element["path"])
        return self.base.get(named) or self.base.get(element["path"], {})

    def row(self, element: Json) -> Json:
        """What the element adds to R4."""
        of_r4 = self.of_r4(element)
        sliced = "sliceName" in element
        row: Json = {}
        if element.get("min", 0) > (0 if sliced else of_r4.get("min", 0)):
            row["min"] = element["min"]
        if element.get("max", "*") not in ("*", None if sliced else of_r4.get("max")):
            row["max"] = int(element["max"])
        types = self.row_types(element)
        if types and (sliced or types != self.row_types(of_r4)):
            row["types"] = types
        profiles = {bare(p) for t in element.get("type", ()) for p in t.get("profile", ())}
        profiles -= {DEFINITIONS + "SimpleQuantity", DEFINITIONS + "MoneyQuantity"}
        if profiles:
            row["profiles"] = sorted(profiles)
        for key, value in element.items():
            if key.startswith("fixed"):
                row["fixed"] = value
            elif key.startswith("pattern"):
                row["pattern"] = value
        self.row_slicing(element, row)
        self.row_binding(element, of_r4, row)
        keys = {self.invariant(rule) for rule in element.get("constraint", ())} - {""}
        if keys:
            row["invariants"] = sorted(keys)
        return row

    def row_types(self, element: Json) -> Json:
        """Type -> names of target types; an empty list where any may be meant."""
        found: Json = {}
        for type_ in element.get("type", ()):
            code = type_["code"]
            if code.startswith("http://hl7.org/fhirpath/"):
                continue
            targets = [self.types.get(bare(profile), "Resource") for profile in type_.get("targetProfile", ())]
            found[code] = [] if "Resource" in targets else sorted(set(targets))
        return found

    def row_slicing(self, element: Json, row: Json) -> None:
        """What tells slices apart; of a slice that is told by profile, the profiles of its target."""
        slicing = element.get("slicing")
        if slicing:
            row["by"] = [[d["type"], d["path"]] for d in slicing.get("discriminator", ())]
            if slicing["rules"] != "open":
                row["rules"] = slicing["rules"]
            if slicing.get("ordered"):
                row["ordered"] = True
        if "sliceName" in element:
            targets = {bare(p) for t in element.get("type", ()) for p in t.get("targetProfile", ())}
            targets = {target for target in targets if target in self.known}
            if targets:
                row["targets"] = sorted(targets)

    def row_binding(self, element: Json, of_r4: Json, row: Json) -> None:
        binding, before = element.get("binding", {}), of_r4.get("binding", {})
        strength = binding.get("strength")
        if strength not in ("required", "extensible"):
            return
        url = bare(binding["valueSet"])
        if strength == "required" and strength == before.get("strength") and url == bare(before.get("valueSet", "")):
            return
        codes = self.terms.expand(url)
        listed = [code for each in codes.values() for code in each or ()]
        if strength == "extensible" and (None in codes.values() or len(listed) > LARGEST):
            return
        self.sets[url] = codes
        row["binding"] = [strength, url]

    def invariant(self, rule: Json) -> str:
        """The name under which ``rule`` is kept; empty for one of R4's own. Guides give two rules the same key: the
        second one is ``key/2``."""
        if rule["key"] in self.keys or "expression" not in rule:
            return ""
        kept = [rule["severity"], " ".join(rule["expression"].split())]
        name, number = str(rule["key"]), 1
        while self.invariants.setdefault(name, kept) != kept:
            number += 1
            name = f"{rule['key']}/{number}"
        return name


def merged(above: Json, row: Json) -> Json:
    """A row laid over the same one of the base profile."""
    keys = sorted({*above.get("invariants", ()), *row.get("invariants", ())})
    both = above | row
    if "fixed" in row:
        both.pop("pattern", None)
    return both | ({"invariants": keys} if keys else {})


def derive(r4: Path, guides: list[Path]) -> Json:
    """The whole table."""
    table = Table(r4, guides)
    for url in table.own:
        table.profile(url)
    for profile in table.profiles.values():
        drop_unsliced(profile["elements"])
    for rule in table.invariants.values():
        for url in referred_sets(rule[1]):
            table.sets.setdefault(url, table.terms.expand(url))
    used = {row["binding"][1] for p in table.profiles.values() for row in p["elements"].values() if "binding" in row}
    used |= {url for rule in table.invariants.values() for url in referred_sets(rule[1])}
    return {
        "profiles": dict(sorted(table.profiles.items())),
        "codes": {url: codes for url, codes in sorted(table.sets.items()) if url in used},
        "invariants": dict(sorted(table.invariants.items())),
    }


def drop_unsliced(rows: dict[str, Json]) -> None:
    """Remove what tells slices apart where there are none: R4 says so of every extension."""
    sliced = {path[:at] for path in rows for at, sign in enumerate(path) if sign == ":"}
    for path in [path for path, row in rows.items() if "by" in row and path not in sliced]:
        if row := {key: value for key, value in rows[path].items() if key not in ("by", "rules", "ordered")}:
            rows[path] = row
        else:
            del rows[path]


def referred_sets(expression: str) -> Iterator[str]:
    """The value sets that ``memberOf`` names in an expression."""
    for part in expression.split("memberOf('")[1:]:
        yield bare(part.split("'")[0])


def write(table: Json, target: Path) -> None:
    """JSON with one line per profile, value set and rule, so that differences can be read."""
    sections = []
    for section, lines in table.items():
        compact = (f"{json.dumps(name)}: {json.dumps(line, separators=(',', ':'))}" for name, line in lines.items())
        body = ",\n".join(compact)
        sections.append(f"{json.dumps(section)}: {{\n{body}\n}}")
    target.write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    found = derive(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
    write(found, Path(__file__).parents[1] / "shared/fhir/definitions/profiles.json")
