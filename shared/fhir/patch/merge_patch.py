"""JSON Merge Patch (https://www.rfc-editor.org/rfc/rfc7396): what clients send that know no other patch.

R4 does not name it. It says what members shall be, null for none; lists are replaced whole."""

from typing import Any

from shared.errors import Invalid

_DEEPEST = 64


def merge_patched(target: Any, patch: Any, *, depth: int = 0) -> Any:
    """``target`` with ``patch`` merged in; ``target`` stays as it is. Raises ``Invalid`` for too deep a patch."""
    if not isinstance(patch, dict):
        return patch
    if depth > _DEEPEST:
        raise Invalid("The patch is nested too deeply.", code="structure")
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patched(merged.get(name), value, depth=depth + 1)
    return merged
