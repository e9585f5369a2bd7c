"""patch: JSON, FHIRPath (http://hl7.org/fhir/R4/http.html#patch) and JSON Merge Patch, by id or by criteria.

What comes out is an update like any other: the same guards, checks and rules.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.engine import Engine
from shared.errors import Gone, Invalid, NotFound, Unprocessable, UnsupportedMediaType
from shared.fhir.formats import FHIR_XML
from shared.fhir.http import FHIR_JSON, Request, Response, body_resource
from shared.fhir.interactions.conditional import existing, hold
from shared.fhir.interactions.guards import require_if_match
from shared.fhir.interactions.stale import require_unchanged
from shared.fhir.interactions.writing import written
from shared.fhir.json import Resource, loads, received
from shared.fhir.patch import fhirpath_patched, json_patched, merge_patched
from shared.fhir.references import make_relative
from shared.unit_of_work import UnitOfWork, unit_of_work

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
PATCH_TYPES = (JSON_PATCH, FHIR_JSON, FHIR_XML, MERGE_PATCH)
_ANY_JSON = "application/json"


async def patch(engine: Engine, request: Request) -> Response:
    """200 with the new version; 404, 410 where there is nothing to patch; 412, 428 as for an update; 422 where the
    patch does not fit the resource, a test in it fails, or what comes out breaks a rule: then nothing has changed."""
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        response = await stage(work, request if len(request.path) > 1 else await _found(work, request))
        await work.commit()
    return response


def as_it_is(resource: Resource) -> Resource:
    """For a patch outside a transaction, where nothing is linked."""
    return resource


async def stage(work: UnitOfWork, request: Request, link: Callable[[Resource], Resource] = as_it_is) -> Response:
    """The same inside ``work``, by id; ``link`` puts the links to other entries in place."""
    type_, id_ = request.path
    work.engine.kinds.kind(type_)
    patched = patch_in(request)
    stored = await work.load(type_, id_)
    if stored is None:
        raise NotFound("No such resource.")
    if stored.deleted:
        raise Gone("The resource was deleted.")

    def changed(resource: Resource) -> Resource:
        after = link(_checked(patched(resource), type_, id_))
        make_relative(after, request.base)
        return after

    await require_unchanged(work, request, stored, changed)
    require_if_match(work, request, stored)
    resource = changed(loads(stored.body))
    return written(request, await work.update(resource, method="PATCH"), created=False)


async def _found(work: UnitOfWork, request: Request) -> Request:
    """The request by id that stands for one by criteria. Raises ``NotFound``, ``PreconditionFailed``, ``Conflict``."""
    (type_,) = request.path
    work.engine.kinds.kind(type_)
    found = await existing(work, type_, request.query, base=request.base)
    if found is None:
        raise NotFound("Nothing matches the criteria.")
    await hold(work, [found], type_, request.query, base=request.base)
    return replace(request, path=(type_, found.id), query="")


def patch_in(request: Request) -> Callable[[Resource], Any]:
    """The function that applies the patch in the body, or in the resource of a Bundle entry: a Parameters, or a Binary
    with a JSON Patch (http://hl7.org/fhir/R4/http.html#patch).

    Raises ``UnsupportedMediaType`` for another kind of patch, ``Invalid`` for what is no patch."""
    media = request.headers.get("content-type", FHIR_JSON).partition(";")[0].strip().lower()
    inside = request.resource
    if inside is not None and inside.get("resourceType") == "Binary":
        if inside.get("contentType") != JSON_PATCH:
            raise UnsupportedMediaType("Send a JSON Patch in the Binary.", patches=PATCH_TYPES)
        document = received(_data(inside))
        return lambda resource: json_patched(resource, document)
    if inside is None and media == JSON_PATCH:
        document = received(request.body)
        return lambda resource: json_patched(resource, document)
    if inside is None and media in (MERGE_PATCH, _ANY_JSON):
        members = received(request.body)
        # as any JSON, some clients send the members to be changed, some Parameters
        if media == MERGE_PATCH or (isinstance(members, dict) and "resourceType" not in members):
            return lambda resource: merge_patched(resource, _object(members))
    try:
        parameters = body_resource(request, "Parameters")
    except UnsupportedMediaType as error:
        text = "Send application/json-patch+json, application/merge-patch+json, or Parameters as application/fhir+json."
        raise UnsupportedMediaType(text, patches=PATCH_TYPES) from error
    return lambda resource: fhirpath_patched(resource, parameters)


def _object(document: Any) -> Resource:
    """A merge patch. Raises ``Invalid`` for one that would leave no resource."""
    if not isinstance(document, dict):
        raise Invalid("A merge patch of a resource is a JSON object.", code="structure")
    return document


def _data(binary: Resource) -> bytes:
    data = binary.get("data")
    try:
        return base64.b64decode(data if isinstance(data, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The Binary's data is not base64.", code="value", expression=("Binary.data",)) from error


def _checked(resource: Any, type_: str, id_: str) -> Resource:
    """What came out of a patch. Raises ``Unprocessable`` where it is not that resource any more."""
    if not isinstance(resource, dict) or resource.get("resourceType") != type_:
        raise Unprocessable("A patch leaves the type of a resource as it is.", expression=("resourceType",))
    if resource.get("id") != id_:
        raise Unprocessable("A patch leaves the id of a resource as it is.", expression=(f"{type_}.id",))
    return resource
