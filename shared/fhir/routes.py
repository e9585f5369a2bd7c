"""From method and path to an interaction, also for Bundle entries (http://hl7.org/fhir/R4/http.html#summary)."""

from dataclasses import replace

from shared.engine import Engine
from shared.errors import Invalid, NotAllowed, NotFound
from shared.fhir.bulk.answering import ROOMS, answered
from shared.fhir.capability import capability
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.http import Request, Response, body_resource, legal_id
from shared.fhir.interactions.batch import batch
from shared.fhir.interactions.create import create
from shared.fhir.interactions.delete import delete
from shared.fhir.interactions.history import history
from shared.fhir.interactions.patch import patch
from shared.fhir.interactions.read import read
from shared.fhir.interactions.search import search
from shared.fhir.interactions.transaction import transaction
from shared.fhir.interactions.update import update
from shared.fhir.interactions.vread import vread
from shared.fhir.operations.table import operation_at

_WORDS = frozenset({"_search", "_history"})
"""What may stand where an id does."""
_WHOLE = frozenset({"metadata", "_history"})
"""What may stand where a type does."""


async def dispatch(engine: Engine, request: Request) -> Response:
    """The interaction's answer. Raises ``ConsiliumError``."""
    if request.path and request.path[0] in ROOMS:
        return await answered(engine, request)
    method = "GET" if request.method == "HEAD" else request.method
    if _names_operation(request.path):
        return await _operation(engine, request)
    if len(request.path) > 1 and method != "PUT" and request.path[1] not in _WORDS and not legal_id(request.path[1]):
        raise NotFound("No such resource.")
    match method, request.path:
        case "GET", (_, id_) if id_ not in _WORDS:
            return await read(engine, request)
        case "GET", ("metadata",):
            return capability(engine, request)
        case "GET", ("_history",) | (_, "_history") | (_, _, "_history"):
            return await history(engine, request)
        case ("GET", (_,)) | ("POST", (_, "_search")):
            return await search(engine, request)
        case ("GET", ("Patient", id_, type_)) | ("POST", ("Patient", id_, type_, "_search")) if type_ in RESOURCE_TYPES:
            return await search(engine, replace(request, path=(type_,)), compartment=id_)
        case "POST", ():
            return await _bundle(engine, request)
        case "POST", (type_,) if type_ not in _WHOLE:
            return await create(engine, request)
        case "PUT", (_, _):
            return await update(engine, request)
        case "PATCH", (_, _):
            return await patch(engine, request)
        case "DELETE", (_, _):
            return await delete(engine, request)
        case "PUT", (type_,) if type_ not in _WHOLE:
            return await update(engine, request)
        case "PATCH", (type_,) if type_ not in _WHOLE:
            return await patch(engine, request)
        case "DELETE", (type_,) if type_ not in _WHOLE:
            return await delete(engine, request)
        case "GET", (_, _, "_history", _):
            return await vread(engine, request)
    if request.path and request.path[0] not in _WHOLE:
        engine.kinds.kind(request.path[0])
    raise NotAllowed("This address does not take this method.", methods=_methods(request.path))


def _names_operation(path: tuple[str, ...]) -> bool:
    return 1 <= len(path) <= 3 and path[-1].startswith("$")


async def _operation(engine: Engine, request: Request) -> Response:
    operation = operation_at(request.path, engine.operations)
    if len(request.path) > 1 and not operation.in_parts:
        engine.kinds.kind(request.path[0])
    if len(request.path) > 2 and not legal_id(request.path[1]):
        raise NotFound("No such resource.")
    if request.method not in operation.methods:
        raise NotAllowed("This operation does not take this method.", methods=operation.methods)
    return await operation.run(engine, request)


def _methods(path: tuple[str, ...]) -> tuple[str, ...]:
    """What the address takes. Raises ``NotFound`` where there is nothing."""
    match path:
        case () | (_, "_search"):
            return ("POST",)
        case ("metadata",) | ("_history",) | (_, "_history") | (_, _, "_history") | (_, _, "_history", _):
            return ("GET", "HEAD")
        case (_,):
            return ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
        case (_, _):
            return ("GET", "HEAD", "PUT", "PATCH", "DELETE")
    raise NotFound("There is nothing at this address.")


async def _bundle(engine: Engine, request: Request) -> Response:
    bundle = body_resource(request, "Bundle")
    match bundle.get("type"):
        case "batch":
            return await batch(engine, request, bundle, dispatch)
        case "transaction":
            return await transaction(engine, request, bundle, dispatch)
    raise Invalid("The base takes a Bundle of type batch or transaction.", code="value", expression=("Bundle.type",))
