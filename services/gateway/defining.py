"""An OperationDefinition of ours (http://hl7.org/fhir/R4/operationdefinition.html)."""

from collections.abc import Sequence

from shared.fhir.json import Resource

CANONICAL = "https://consilium.care/fhir/OperationDefinition"


def definition(
    id_: str,
    name: str,
    code: str,
    *,
    types: Sequence[str],
    date: str,
    changes: bool,
    description: str,
    parameters: Sequence[Resource],
    of_type: bool = False,
) -> Resource:
    """An operation on an instance of one of ``types``, or ``of_type`` as a whole."""
    return {
        "resourceType": "OperationDefinition",
        "id": id_,
        "url": f"{CANONICAL}/{id_}",
        "version": "1.0.0",
        "name": name,
        "status": "active",
        "kind": "operation",
        "date": date,
        "publisher": "Consilium",
        "description": description,
        "affectsState": changes,
        "code": code,
        "resource": list(types),
        "system": False,
        "type": of_type,
        "instance": not of_type,
        "parameter": list(parameters),
    }
