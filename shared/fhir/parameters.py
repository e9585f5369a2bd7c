"""Parameters, the body of an operation (http://hl7.org/fhir/R4/parameters.html)."""

from typing import Any

from shared.errors import Invalid
from shared.fhir.json import Resource


def parameters_in(resource: Resource) -> list[Resource]:
    """What ``resource``, a Parameters, lists. Raises ``Invalid`` for what is no list of objects."""
    listed = resource.get("parameter", [])
    if not isinstance(listed, list):
        raise Invalid("Parameters come as a list.", code="structure", expression=("Parameters.parameter",))
    for number, parameter in enumerate(listed):
        if not isinstance(parameter, dict):
            where = (f"Parameters.parameter[{number}]",)
            raise Invalid("A parameter is an object.", code="structure", expression=where)
    return listed


def value(name: str, element: str, value: Any) -> Resource:
    """A parameter, or a part of one, that is ``value``; ``element`` is its ``value[x]``."""
    return {"name": name, element: value}


def parts(name: str, *parts: Resource) -> Resource:
    """A parameter of ``parts``."""
    return {"name": name, "part": list(parts)}


def parameters(*parameters: Resource) -> Resource:
    """The Parameters resource; R4 knows no empty list."""
    return {"resourceType": "Parameters", **({"parameter": list(parameters)} if parameters else {})}
