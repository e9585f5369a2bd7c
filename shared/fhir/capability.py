"""The CapabilityStatement, generated from the registry (http://hl7.org/fhir/R4/capabilitystatement.html)."""

from importlib.metadata import version
from typing import Any

from shared.engine import Engine
from shared.fhir.formats import FHIR_XML
from shared.fhir.http import FHIR_JSON, Request, Response
from shared.fhir.interactions.patch import PATCH_TYPES
from shared.fhir.json import Resource, dumps
from shared.fhir.kinds import ResourceKind
from shared.fhir.operations.table import operations_of
from shared.fhir.search.parameters import definition_of, referring_parameters, search_parameters
from shared.fhir.validate.profiles import profiles_of

VERSION = "4.0.1"
RELEASED = "2026-11-23"
BULK_DATA = "http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"
_INTERACTIONS = (
    *("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"),
)
_REFERENCES = ("literal", "logical")
"""http://hl7.org/fhir/R4/valueset-reference-handling-policy.html: not local and not enforced, for references to other
servers are kept, and those to types of other services are not looked up."""
_SECURITY = {
    "cors": False,
    "service": [
        {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "OAuth"}],
            "text": "JWT bearer tokens",
        }
    ],
}


def capability(engine: Engine, request: Request) -> Response:
    """200 with what this service really does."""
    return Response(200, dumps(statement(engine, request.base)))


def statement(engine: Engine, base: str) -> Resource:
    """The statement of one service."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        **({"instantiates": [BULK_DATA]} if "Group" in engine.kinds else {}),
        "software": {"name": "Consilium", "version": version("consilium")},
        "implementation": {"description": f"Consilium {engine.service}", "url": str(base)},
        "fhirVersion": VERSION,
        "format": [FHIR_JSON, FHIR_XML, "json", "xml"],
        "patchFormat": list(PATCH_TYPES),
        "rest": [
            {
                "mode": "server",
                "security": _SECURITY,
                "resource": [_resource(kind, engine) for kind in sorted(engine.kinds, key=lambda kind: kind.type)],
                "interaction": [{"code": "transaction"}, {"code": "batch"}, {"code": "history-system"}],
                "compartment": ["http://hl7.org/fhir/CompartmentDefinition/patient"],
                **_operations("", engine),
            }
        ],
    }


def _resource(kind: ResourceKind, engine: Engine) -> Resource:
    parameters = search_parameters(kind.type)
    told: dict[str, Any] = {
        "type": kind.type,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{kind.type}",
    }
    if profiles := profiles_of(kind.type):
        told["supportedProfile"] = list(profiles)
    told |= {
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update" if engine.demands_if_match(kind.type) else "versioned",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": "multiple" if engine.rules.deletes_several else "single",
        "referencePolicy": list(_REFERENCES),
    }
    includes = [f"{kind.type}:{parameter.name}" for parameter in parameters if parameter.kind == "reference"]
    if includes:
        told["searchInclude"] = includes
    reverse = referring_parameters(frozenset(each.type for each in engine.kinds), kind.type)
    if reverse:
        told["searchRevInclude"] = list(reverse)
    told["searchParam"] = [
        {"name": parameter.name, "definition": definition_of(parameter), "type": parameter.kind}
        for parameter in parameters
    ]
    return told | _operations(kind.type, engine)


def _operations(type_: str, engine: Engine) -> Resource:
    """The element ``operation`` of a type, or of the whole; none where there is none."""
    told = [{"name": each.name, "definition": each.definition} for each in operations_of(type_, engine.operations)]
    return {"operation": told} if told else {}
