"""FHIRPath Patch: the operations add, insert, delete, replace, move (http://hl7.org/fhir/R4/fhirpatch.html)."""

from typing import Any

from shared.errors import ConsiliumError, Unprocessable
from shared.fhir.definitions import PRIMITIVE_TYPES
from shared.fhir.definitions.naming import Named, json_names, named_elements
from shared.fhir.json import Resource
from shared.fhir.patch.expression import Child, Step
from shared.fhir.patch.nodes import Node, listed
from shared.fhir.patch.parts import Given, Operation, operations
from shared.fhir.patch.select import Selector


def fhirpath_patched(resource: Resource, patch: Resource) -> Resource:
    """``resource`` after all operations of ``patch``, a Parameters resource.

    Raises ``Invalid`` for what is no FHIRPath Patch, ``TooLarge`` for too much of it, and ``Unprocessable`` where an
    operation does not fit the resource. ``resource`` is then half patched: throw it away."""
    selector = Selector()
    root = Node(resource["resourceType"], resource)
    for operation in operations(patch):
        try:
            _apply(selector, root, operation)
        except ConsiliumError as error:
            raise type(error)(str(error), code=error.issues[0].code, expression=(operation.where,)) from error
    return resource


def _apply(selector: Selector, root: Node, operation: Operation) -> None:
    steps = _below(root, operation.path)
    match operation.type:
        case "add":
            _add(_one(selector.select([root], steps)), operation.name, operation.value)
        case "insert":
            _insert(*_list_at(selector, root, steps), operation.index, operation.value)
        case "delete":
            nodes = selector.select([root], steps)
            if nodes:
                _removable(_one(nodes)).remove()
        case "replace":
            _replace(_removable(_one(selector.select([root], steps))), operation.value)
        case _:
            _move(*_list_at(selector, root, steps), operation.source, operation.destination)


def _below(root: Node, path: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps after the resource's type, with which a path may begin."""
    first = path[0] if path else None
    if isinstance(first, Child) and first.name in (root.type, "Resource", "DomainResource"):
        return path[1:]
    return path


def _one(nodes: list[Node]) -> Node:
    if len(nodes) != 1:
        text = "The path finds several elements, not one." if nodes else "The path finds nothing in the resource."
        raise Unprocessable(text, code="processing")
    return nodes[0]


def _removable(node: Node) -> Node:
    if node.parent is None:
        raise Unprocessable("A patch does not take away the whole resource.", code="processing")
    return node


def _add(node: Node, name: str, given: Given) -> None:
    written, named = _fitting(node.structure, name.removesuffix("[x]"), given)
    if named.element.many:
        length = max(len(listed(row)) for row in node.rows(written))
        _insert(node, written, length, given)
        return
    if any(True for _ in node.children(named.element.name.removesuffix("[x]"))):
        raise Unprocessable("The element is there already, and does not repeat.", code="processing")
    _put(node, written, named, given)


def _put(node: Node, written: str, named: Named, given: Given) -> None:
    members = node.made_members()
    value = _value(named, given)
    if value is not None:
        members[written] = value
    if given.beside is not None:
        members[f"_{written}"] = given.beside


def _insert(node: Node, written: str, index: int, given: Given) -> None:
    named = named_elements(node.structure)[written]
    row, beside = (listed(each) for each in node.rows(written))
    length = max(len(row), len(beside))
    if index > length:
        raise Unprocessable("The index is beyond the end of the list.", code="processing")
    members = node.made_members()
    for name, rows, value in ((written, row, _value(named, given)), (f"_{written}", beside, given.beside)):
        if not rows and value is None:
            continue
        rows += [None] * (length - len(rows))
        rows.insert(index, value)
        members[name] = rows


def _replace(node: Node, given: Given) -> None:
    parent = node.parent
    assert parent is not None, "the root is not replaced"
    name = named_elements(parent.structure)[node.name].element.name.removesuffix("[x]")
    written, named = _fitting(parent.structure, name, given)
    if node.index < 0:
        members = parent.members()
        if written != node.name or _value(named, given) is None:
            members.pop(node.name, None)
        members.pop(f"_{node.name}", None)
        _put(parent, written, named, given)
        return
    members = parent.members()
    for each, value in ((written, _value(named, given)), (f"_{written}", given.beside)):
        filled = listed(members.get(each))
        if not filled and value is None:
            continue
        filled += [None] * (node.index + 1 - len(filled))
        filled[node.index] = value
        members[each] = filled
        if each.startswith("_") and not any(item is not None for item in filled):
            del members[each]


def _move(node: Node, written: str, source: int, destination: int) -> None:
    rows = [row for row in map(listed, node.rows(written)) if row]
    length = max(map(len, rows), default=0)
    if source >= length or destination >= length:
        raise Unprocessable("The source or the destination is beyond the end of the list.", code="processing")
    for row in rows:
        row += [None] * (length - len(row))
        row.insert(destination, row.pop(source))


def _list_at(selector: Selector, root: Node, steps: tuple[Step, ...]) -> tuple[Node, str]:
    """The element that holds the list that a path names, and the list's JSON name."""
    last = steps[-1] if steps else None
    if not isinstance(last, Child):
        raise Unprocessable("The path does not name a list.", code="processing")
    holder = _one(selector.select([root], steps[:-1]))
    names = json_names(holder.structure, last.name)
    if len(names) != 1 or not named_elements(holder.structure)[names[0]].element.many:
        raise Unprocessable("The path does not name a list.", code="processing")
    return holder, names[0]


def _fitting(structure: str, name: str, given: Given) -> tuple[str, Named]:
    """The JSON name of ``name`` for what is ``given``: that of its type, of a choice. Raises ``Unprocessable``."""
    elements = named_elements(structure)
    names = json_names(structure, name)
    if not names and name in elements:
        names = (name,)
    if not names:
        raise Unprocessable("R4 defines no such element here.", code="processing")
    if len(names) == 1 and not elements[names[0]].element.choice:
        return names[0], elements[names[0]]
    for written in names:
        if written == elements[written].element.name[:-3] + given.suffix:
            return written, elements[written]
    raise Unprocessable("The value is of a type that this element does not take.", code="processing")


def _value(named: Named, given: Given) -> Any:
    """The JSON of what is ``given`` for an element."""
    if given.parts is None:
        return given.value
    if named.type in PRIMITIVE_TYPES:
        raise Unprocessable("The element has a type, and no parts.", code="processing")
    made: dict[str, Any] = {}
    node = Node(named.type, made)
    for name, part in given.parts:
        _add(node, name, part)
    return made
