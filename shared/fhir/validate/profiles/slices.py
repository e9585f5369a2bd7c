"""What tells the slices of an element apart (http://hl7.org/fhir/R4/profiling.html#discriminator).

A slice becomes a list of tests, one per discriminator. Each says yes, no, or (None) that it cannot be told from what is
at hand: a target that is not here, a value set that is not listed.
"""

from collections.abc import Callable, Iterator
from typing import Any

from shared.fhir.validate.profiles.codes import bound
from shared.fhir.validate.profiles.items import Item, items_at
from shared.fhir.validate.profiles.patterns import fits, inside
from shared.fhir.validate.profiles.table import Node, code_set, facts, type_of
from shared.fhir.validate.profiles.visit import Visit, type_named

Test = Callable[[Item, Visit], bool | None]
Conforms = Callable[[Any, str, Visit], bool]
"""Whether a resource conforms to a profile."""

_EXTENSION = "extension('"


def told_apart_by(node: Node, name: str) -> list[tuple[str, str]] | None:
    """The discriminators of a sliced element, those that R4 implies included; None where nothing tells slices apart."""
    if "by" in node.row:
        return [(kind, path.removeprefix("$this.")) for kind, path in node.row["by"]]
    if name in ("extension", "modifierExtension"):
        return [("value", "url")]
    return [("type", "$this")] if name.endswith("[x]") else None


def slice_test(slice_: Node, by: list[tuple[str, str]], conforms: Conforms) -> Test:
    """Whether an occurrence belongs to ``slice_``: all discriminators must say so."""
    tests = [_test(slice_, kind, path, conforms) for kind, path in by]

    def run(item: Item, visit: Visit) -> bool | None:
        found = [test(item, visit) for test in tests]
        return False if False in found else None if None in found else True

    return run


def _test(slice_: Node, kind: str, path: str, conforms: Conforms) -> Test:
    if kind == "exists":
        return _exists(slice_, path)
    if kind == "profile":
        return _profile(slice_, path, conforms)
    if "(" in path:
        return _untold
    steps = () if path == "$this" else tuple(path.split("."))
    return _type(slice_, steps) if kind == "type" else _value(slice_, steps)


def _untold(item: Item, visit: Visit) -> None:
    """A discriminator that says nothing here."""


Judge = Callable[[Item], bool | None]
"""Whether one occurrence is what a slice wants there."""


def _value(slice_: Node, steps: tuple[str, ...]) -> Test:
    """The occurrences at ``steps`` have the value that the slice fixes there: by a fixed value or pattern on the way,
    else by what is fixed further below, else by a required binding."""
    tests = [(steps, judge) for judge in _on_the_way(slice_, steps)]
    node = _below(slice_, steps)
    if not tests and node is not None:
        tests = [((*steps, *deeper), judge) for deeper, judge in _fixed_below(node)]
        if not tests and node.row.get("binding", ("",))[0] == "required":
            tests = [(steps, _in_set(node.row["binding"][1]))]
    if not tests and steps == ("url",) and "profiles" in slice_.row:
        tests = [(steps, _one_of(slice_.row["profiles"]))]
    if not tests:
        return _untold

    def run(item: Item, visit: Visit) -> bool | None:
        worst: bool | None = True
        for path, judge in tests:
            found = [judge(each) for each in items_at(item, path)]
            if True not in found:
                if None not in found:
                    return False
                worst = None
        return worst

    return run


def _on_the_way(slice_: Node, steps: tuple[str, ...]) -> Iterator[Judge]:
    """What the slice itself, or an element between it and the end of ``steps``, fixes at their end."""
    for taken in range(len(steps) + 1):
        node = _below(slice_, steps[:taken])
        if node is None:
            return
        yield from (_like(wanted) for each in _fixed(node) for wanted in inside(each, steps[taken:]))


def _fixed_below(node: Node) -> Iterator[tuple[tuple[str, ...], Judge]]:
    """A discriminator on a complex element counts what is fixed inside it."""
    for name, child in node.children.items():
        yield from (((name,), _like(wanted)) for wanted in _fixed(child))
        yield from (((name, *deeper), judge) for deeper, judge in _fixed_below(child))


def _fixed(node: Node) -> list[Any]:
    return [node.row[key] for key in ("fixed", "pattern") if key in node.row]


def _like(wanted: Any) -> Judge:
    return lambda item: fits(item.value, wanted)


def _in_set(url: str) -> Judge:
    codes = code_set(url)
    return lambda item: bound(codes, item)


def _one_of(values: list[str]) -> Judge:
    return lambda item: item.value in values


def _type(slice_: Node, steps: tuple[str, ...]) -> Test:
    node = _below(slice_, steps)
    types = _types(node) if node is not None else set()
    if not types:
        return _untold

    def run(item: Item, visit: Visit) -> bool | None:
        found = items_at(item, steps)
        return any(each.type in types or not each.type for each in found)

    return run


def _types(node: Node) -> set[str]:
    if "types" in node.row:
        return set(node.row["types"])
    return {type_ for each in node.slices.values() for type_ in each.row.get("types", ())}


def _profile(slice_: Node, path: str, conforms: Conforms) -> Test:
    """``resolve()`` looks at the target of the reference, ``resource`` at the resource of an entry."""
    if path == "resolve()":
        profiles = slice_.row.get("targets", ())
    else:
        node = _below(slice_, tuple(path.split(".")))
        profiles = node.row.get("profiles", ()) if node is not None and "(" not in path else ()
    if not profiles:
        return _untold
    judged: list[str] = [url for url in profiles if url in facts()["profiles"]]
    types = {type_of(url) for url in judged}

    def run(item: Item, visit: Visit) -> bool | None:
        target: Any = None
        if path == "resolve()":
            literal = item.object.get("reference")
            if type(literal) is str:
                target = visit.scope.resolve(literal)
            if target is None:
                named = type_named(item.object, visit.scope)
                return None if named is None or named in types else False
        else:
            found = items_at(item, tuple(path.split(".")))
            target = found[0].value if found else None
        if not isinstance(target, dict) or target.get("resourceType") not in types:
            return False
        of_type = [url for url in judged if type_of(url) == target["resourceType"]]
        return any(conforms(target, url, visit) for url in of_type)

    return run


def _exists(slice_: Node, path: str) -> Test:
    """Present where the slice demands the element, absent where it forbids it."""
    if path.startswith(_EXTENSION):
        url = path.removeprefix(_EXTENSION).split("'")[0]
        below = slice_.children.get("extension", Node()).slices.values()
        node = next((each for each in below if url in each.row.get("profiles", ())), None)
    else:
        url, node = "", _below(slice_, tuple(path.split(".")))
    if node is None or not ("min" in node.row or "max" in node.row):
        return _untold
    wanted = bool(node.row.get("min", 0) > 0)

    def run(item: Item, visit: Visit) -> bool | None:
        if url:
            return wanted is any(each.object.get("url") == url for each in items_at(item, ("extension",)))
        return wanted is bool(items_at(item, tuple(path.split("."))))

    return run


def _below(node: Node, steps: tuple[str, ...]) -> Node | None:
    for step in steps:
        found = node.children.get(step) or node.children.get(f"{step}[x]")
        if found is None:
            return None
        node = found
    return node
