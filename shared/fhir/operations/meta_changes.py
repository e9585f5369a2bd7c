"""$meta-add and $meta-delete: change the profiles, tags and security labels of a resource
(http://hl7.org/fhir/R4/resource-operation-meta-add.html, resource-operation-meta-delete.html).

Unlike R4's, they make a new version (docs/meta.md): the ETag, copies in other services and histories go by versions.
"""

from collections.abc import Callable
from typing import Any

from shared.engine import Engine
from shared.errors import Gone, Invalid, NotFound
from shared.fhir.http import Request, Response, any_resource, etag, last_modified
from shared.fhir.interactions.guards import require_if_match, require_match
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.operations.operation import Level, Operation, Run
from shared.unit_of_work import unit_of_work

SETS = ("profile", "security", "tag")
Meta = dict[str, Any]
Change = Callable[[Meta, Meta], Meta]


def added(meta: Meta, given: Meta) -> Meta:
    """``meta`` with what of ``given`` it lacks; what it has stays as it is, whatever version and display are given."""
    return _with(meta, {name: [*_distinct([*meta.get(name, ()), *given.get(name, ())])] for name in SETS})


def deleted(meta: Meta, given: Meta) -> Meta:
    """``meta`` without what is in ``given``."""
    gone = {name: {_identity(each) for each in given.get(name, ())} for name in SETS}
    kept = {name: [each for each in meta.get(name, ()) if _identity(each) not in gone[name]] for name in SETS}
    return _with(meta, kept)


def _with(meta: Meta, sets: dict[str, list[Any]]) -> Meta:
    return {name: value for name, value in (meta | sets).items() if name not in SETS or value}


def _distinct(items: list[Any]) -> list[Any]:
    found: dict[Any, Any] = {}
    for each in items:
        found.setdefault(_identity(each), each)
    return list(found.values())


def _identity(item: Any) -> tuple[str | None, str | None]:
    """System and code of a Coding; a profile's full URL."""
    return (item.get("system"), item.get("code")) if isinstance(item, dict) else (None, item)


def _changing(change: Change) -> Run:
    async def run(engine: Engine, request: Request) -> Response:
        """200 with Parameters that hold the new ``meta``; 404, 410, 412, 428 as for an update."""
        type_, id_, _ = request.path
        given = _given(any_resource(request))
        async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
            stored = await work.load(type_, id_)
            if stored is None:
                raise NotFound("No such resource.")
            if stored.deleted:
                raise Gone("The resource was deleted.")
            require_match(request, stored)
            require_if_match(work, request, stored)
            resource: Resource = loads(stored.body)
            meta = change(resource["meta"], given)
            if meta != resource["meta"]:
                stored = await work.update(resource | {"meta": meta})
                await work.commit()
        parameters = [{"name": "return", "valueMeta": loads(stored.body)["meta"]}]
        headers = (etag(stored.version), last_modified(stored.last_updated))
        return Response(200, dumps({"resourceType": "Parameters", "parameter": parameters}), headers)

    return run


def _given(parameters: Resource) -> Meta:
    """The parameter ``meta``. Raises ``Invalid``."""
    if parameters.get("resourceType") != "Parameters":
        raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
    listed = parameters.get("parameter")
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        text = "There is one parameter, meta."
        raise Invalid(text, code="required", expression=("Parameters.parameter",))
    meta = listed[0].get("valueMeta")
    if listed[0].get("name") != "meta" or not isinstance(meta, dict):
        text = "The parameter is named meta, and is a valueMeta."
        raise Invalid(text, code="required", expression=("Parameters.parameter[0]",))
    for name, kind in (("profile", str), ("security", dict), ("tag", dict)):
        items = meta.get(name, [])
        if not isinstance(items, list) or not all(isinstance(each, kind) for each in items):
            where = (f"Parameters.parameter[0].value.{name}",)
            raise Invalid("This is a list, of codings or of URLs.", code="structure", expression=where)
        if not all(isinstance(part, str | None) for each in items for part in _identity(each)):
            where = (f"Parameters.parameter[0].value.{name}",)
            raise Invalid("System and code are strings.", code="structure", expression=where)
    return meta


META_ADD = Operation(
    name="meta-add",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
    levels=frozenset({Level.INSTANCE}),
    run=_changing(added),
    methods=("POST",),
)
META_DELETE = Operation(
    name="meta-delete",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
    levels=frozenset({Level.INSTANCE}),
    run=_changing(deleted),
    methods=("POST",),
)
