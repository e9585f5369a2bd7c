"""Patches as a client writes them."""

import base64
import json
from typing import Any

Resource = dict[str, Any]
JSON_PATCH = "application/json-patch+json"


def json_patch(*operations: Resource) -> dict[str, Any]:
    """What httpx sends for a JSON Patch."""
    return {"content": json.dumps(operations), "headers": {"content-type": JSON_PATCH}}


def in_binary(*operations: Resource) -> Resource:
    """A JSON Patch as the resource of a Bundle's entry."""
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": JSON_PATCH, "data": data}


def operation(type_: str, path: str, **more: Any) -> Resource:
    """One operation of a FHIRPath Patch; ``value`` is a part without its name."""
    parts: list[Resource] = [{"name": "type", "valueCode": type_}, {"name": "path", "valueString": path}]
    for name, value in more.items():
        if name == "value":
            parts.append({"name": name, **value})
        else:
            parts.append({"name": name, "valueString" if isinstance(value, str) else "valueInteger": value})
    return {"name": "operation", "part": parts}


def parameters(*operations: Resource) -> Resource:
    """A FHIRPath Patch."""
    return {"resourceType": "Parameters", "parameter": list(operations)}
