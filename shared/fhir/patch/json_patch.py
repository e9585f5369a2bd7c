"""JSON Patch (https://www.rfc-editor.org/rfc/rfc6902), by ``jsonpatch``, with bounds and without its texts.

The texts of ``jsonpatch`` repeat values of the resource: none of them leaves this module.
"""

from typing import Any

from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointerException, resolve_pointer

from shared.errors import Invalid, TooLarge, Unprocessable
from shared.fhir.json import Resource, dumps

MOST_OPERATIONS = 1_000
MOST_COPIED = 16 * 1024 * 1024
"""Bytes that the copies of one patch may take: a few that copy a copy into itself would else fill the memory."""
_MEMBERS = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}


def json_patched(resource: Resource, patch: Any) -> Any:
    """``resource`` after all operations of ``patch``, which is decoded JSON. What they left empty is left out.

    Raises ``Invalid`` for what is no JSON Patch, ``TooLarge`` for too much of it, and ``Unprocessable`` where an
    operation does not fit the resource or a ``test`` fails. ``resource`` is then half patched: throw it away."""
    operations = _checked(patch)
    copied = 0
    found: Any = resource
    for number, operation in enumerate(operations):
        try:
            if operation["op"] == "copy":
                copied += len(dumps(resolve_pointer(found, operation["from"])))
                if copied > MOST_COPIED:
                    raise TooLarge("The patch copies more than this server takes.", code="too-costly")
            found = JsonPatch([operation]).apply(found, in_place=True)
        except JsonPatchTestFailed as error:
            raise Unprocessable(f"The test of operation {number} fails.", code="processing") from error
        except InvalidJsonPatch as error:
            raise Invalid(f"Operation {number} is not one of JSON Patch.", code="value") from error
        except (JsonPatchException, JsonPointerException, TypeError) as error:
            text = f"Operation {number} names a place that is not in the resource."
            raise Unprocessable(text, code="processing") from error
        except RecursionError as error:
            raise Invalid("The patch nests too deeply.", code="structure") from error
    if any(operation["op"] in ("remove", "move") for operation in operations):
        try:
            without_empty(found)
        except RecursionError as error:
            raise Invalid("The patch nests too deeply.", code="structure") from error
    return found


def _checked(patch: Any) -> list[dict[str, Any]]:
    if not isinstance(patch, list):
        raise Invalid("A JSON Patch is an array of operations.", code="structure")
    if len(patch) > MOST_OPERATIONS:
        raise TooLarge("The patch has more operations than this server takes.", code="too-costly")
    for number, operation in enumerate(patch):
        named = operation.get("op") if isinstance(operation, dict) else None
        members = _MEMBERS.get(named) if isinstance(named, str) else None
        if members is None:
            raise Invalid(f"Operation {number} is not one of JSON Patch.", code="value")
        for name in members:
            if name not in operation:
                raise Invalid(f"Operation {number} lacks its {name}.", code="required")
            if name != "value" and not _is_pointer(operation[name]):
                raise Invalid(f"The {name} of operation {number} is no JSON Pointer.", code="value")
    return patch


def _is_pointer(text: Any) -> bool:
    """https://www.rfc-editor.org/rfc/rfc6901#section-3"""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        return False
    return all(part[:1] in ("0", "1") for part in text.split("~")[1:])


def without_empty(value: Any) -> None:
    """Leave out, in place, the arrays and objects that are empty, and those that become so: FHIR has none
    (http://hl7.org/fhir/R4/json.html#null). Not in arrays beside primitives, where a place counts."""
    if isinstance(value, dict):
        for name, child in list(value.items()):
            without_empty(child)
            if child == [] or child == {}:
                del value[name]
            elif isinstance(child, list) and not name.startswith("_"):
                child[:] = [each for each in child if each != {}]
                if not child:
                    del value[name]
    elif isinstance(value, list):
        for child in value:
            without_empty(child)
