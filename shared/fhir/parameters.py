"""Parameters, the body of an operation (http://hl7.org/fhir/R4/parameters.html)."""

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
