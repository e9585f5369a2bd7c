"""The compiled check of what a profile says of one element (http://hl7.org/fhir/R4/elementdefinition.html).

A node of a profile's tree becomes a closure over its facts, once. A check goes through the occurrences of the element:
how many there are, what each one is, which slice each belongs to, and what is below.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from shared.fhir.validate.profiles.codes import bound, has_codes
from shared.fhir.validate.profiles.items import Item, items_of
from shared.fhir.validate.profiles.patterns import fits
from shared.fhir.validate.profiles.rules import rule_test
from shared.fhir.validate.profiles.slices import slice_test, told_apart_by
from shared.fhir.validate.profiles.table import Node, code_set, facts, tree, type_of
from shared.fhir.validate.profiles.visit import DEEPEST, Visit, type_named
from shared.fhir.validate.walk import Place

ItemTest = Callable[[Item, Place, Visit], None]
"""Looks at one occurrence; the place is that of the object that has it."""
ObjectTest = Callable[[Mapping[str, Any], Place, Visit], None]
"""Looks at the elements of one object, which is at the place."""


@cache
def profile_test(url: str) -> ItemTest:
    """The compiled check of one profile, for an occurrence that is the resource, or the extension, as a whole."""
    whole = node_test(tree(url), type_of(url))
    name = url.rsplit("/", 1)[-1]

    def run(item: Item, place: Place, visit: Visit) -> None:
        if visit.depth >= DEEPEST:
            visit.not_checked("profiles are nested too deeply", place, item.label, item.nth)
            return
        outer, visit.profile = visit.profile, name
        visit.depth += 1
        try:
            whole(item, place, visit)
        finally:
            visit.profile = outer
            visit.depth -= 1

    return run


def conforms(resource: Any, url: str, visit: Visit) -> bool:
    """Whether ``resource`` has no error by the profile."""
    trial = visit.trial()
    profile_test(url)(Item(resource, None, "", resource["resourceType"], -1), (None, "", -1, 0), trial)
    visit.charge(trial)
    return visit.conforms(trial)


def node_test(node: Node, path: str) -> ItemTest:
    """What a node says of each occurrence; ``path`` is where FHIRPath finds its type (``Observation.component``)."""
    tests = list(_own_tests(node, path))
    below = _object_test(node, path) if node.children else None

    def run(item: Item, place: Place, visit: Visit) -> None:
        visit.spend(1)
        for test in tests:
            test(item, place, visit)
        if below is not None and item.object:
            below(item.object, (place, item.label, item.nth, place[3] + 1), visit)

    return run


def _object_test(node: Node, path: str) -> ObjectTest:
    children = [
        (
            name,
            _count_test(name, child.row),
            node_test(child, f"{path}.{name.removesuffix('[x]')}"),
            _slicing(child, name, path),
        )
        for name, child in node.children.items()
    ]

    def run(parent: Mapping[str, Any], place: Place, visit: Visit) -> None:
        for name, count, each, slicing in children:
            items = items_of(parent, name)
            count(items, place, visit)
            for item in items:
                each(item, place, visit)
            if slicing is not None:
                slicing(items, place, visit)

    return run


ItemsTest = Callable[[list[Item], Place, Visit], None]


def _count_test(name: str, row: Mapping[str, Any], what: str = "this element") -> ItemsTest:
    least, most = row.get("min", 0), row.get("max")
    label = name.removesuffix("[x]")

    def run(items: list[Item], place: Place, visit: Visit) -> None:
        if len(items) < least:
            times = "" if least == 1 else f" {least} times"
            visit.report("required", f"{what} is required{times}.", place, label)
        elif most is not None and len(items) > most:
            text = f"{what} is not allowed." if most == 0 else f"{what} is allowed {most} times at most."
            visit.report("structure", text, place, label)

    return run


def _slicing(node: Node, name: str, path: str) -> ItemsTest | None:
    """Which slice each occurrence belongs to, and what the slices say; None where nothing is sliced."""
    by = told_apart_by(node, name) if node.slices else None
    if by is None:
        return None
    slices = [
        (
            slice_test(each, by, conforms),
            _count_test(name, each.row, f"the slice {slice_name}"),
            node_test(each, f"{path}.{name.removesuffix('[x]')}"),
            each.row.get("min", 0),
        )
        for slice_name, each in node.slices.items()
    ]
    closed = node.row.get("rules") == "closed"

    def run(items: list[Item], place: Place, visit: Visit) -> None:
        visit.spend(len(items) * len(slices))
        members: list[list[Item]] = [[] for _ in slices]
        untold = [False] * len(slices)
        for item in items:
            answers = [belongs(item, visit) for belongs, _, _, _ in slices]
            for position, answer in enumerate(answers):
                if answer:
                    members[position].append(item)
                untold[position] = untold[position] or answer is None
            if closed and not any(answer is not False for answer in answers):
                visit.report("structure", "this is none of the slices that are allowed.", place, item.label, item.nth)
        for (_, count, each, least), mine, unknown in zip(slices, members, untold, strict=True):
            if unknown and len(mine) < least:
                visit.not_checked("a slice that cannot be told from what is here", place, name.removesuffix("[x]"))
            else:
                count(mine, place, visit)
            for item in mine:
                each(item, place, visit)

    return run


def _own_tests(node: Node, path: str) -> Iterator[ItemTest]:
    row = node.row
    if "types" in row:
        yield _type_test(row["types"])
    if "fixed" in row or "pattern" in row:
        yield _pattern_test(row)
    if "binding" in row:
        yield _binding_test(*row["binding"])
    if profiles := [url for url in row.get("profiles", ()) if url in facts()["profiles"]]:
        yield _profiles_test(profiles)
    for name in row.get("invariants", ()):
        yield rule_test(name, path)


def _type_test(types: Mapping[str, list[str]]) -> ItemTest:
    names = frozenset(types)
    targets = frozenset(types.get("Reference", ()))

    def run(item: Item, place: Place, visit: Visit) -> None:
        if item.type and item.type not in names:
            visit.report("structure", "this type is not allowed here.", place, item.label, item.nth)
        elif targets and item.type in ("", "Reference") and type(item.value) is dict:
            named = type_named(item.value, visit.scope)
            if named is not None and named not in targets:
                text = "this may not refer to a resource of that type."
                visit.report("value", text, place, item.label, item.nth)

    return run


def _pattern_test(row: Mapping[str, Any]) -> ItemTest:
    exact = "fixed" in row
    wanted = row["fixed" if exact else "pattern"]
    text = "this is not the fixed value." if exact else "this lacks what the pattern has."

    def run(item: Item, place: Place, visit: Visit) -> None:
        if item.value is not None and not (item.value == wanted if exact else fits(item.value, wanted)):
            visit.report("value", text, place, item.label, item.nth)

    return run


def _binding_test(strength: str, url: str) -> ItemTest:
    codes, name = code_set(url), url.rsplit("/", 1)[-1]
    required = strength == "required"

    def run(item: Item, place: Place, visit: Visit) -> None:
        found = bound(codes, item)
        if found is None and required and has_codes(item):
            visit.not_checked(f"the codes of the value set {name} are not listed here", place, item.label, item.nth)
        elif found is False and required:
            visit.report("code-invalid", f"no code of the value set {name}.", place, item.label, item.nth)
        elif found is False and has_codes(item):
            text = f"no code of the value set {name}, which is to be used where one of its codes applies."
            visit.report("code-invalid", text, place, item.label, item.nth, severity="warning")

    return run


def _profiles_test(profiles: list[str]) -> ItemTest:
    """An extension, or the resource of an entry: one of the profiles must hold."""

    def run(item: Item, place: Place, visit: Visit) -> None:
        type_ = item.object.get("resourceType")
        tests = [profile_test(url) for url in profiles if type_ is None or type_of(url) == type_]
        if len(tests) == 1:
            tests[0](item, place, visit)
            return
        for test in tests:
            trial = visit.trial()
            test(item, place, trial)
            visit.charge(trial)
            if visit.conforms(trial):
                return
        visit.report("structure", "none of the profiles that are allowed here holds.", place, item.label, item.nth)

    return run
