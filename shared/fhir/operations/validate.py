"""$validate: what would be wrong, and nothing stored (http://hl7.org/fhir/R4/resource-operation-validate.html)."""

import asyncio
from dataclasses import dataclass, replace

from shared.engine import Engine
from shared.errors import ConsiliumError, Invalid, Issue
from shared.fhir.http import Request, Response, any_resource
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.operations.operation import Level, Operation
from shared.fhir.outcome import outcome
from shared.fhir.parameters import parameters_in
from shared.fhir.validate.judging import judged
from shared.reading import current
from shared.unit_of_work import UnitOfWork, unit_of_work

MODES = ("create", "update", "delete", "profile")
"""http://hl7.org/fhir/R4/valueset-resource-validation-mode.html"""
MOST_ASKED = 20
"""Profiles that one call may name."""
_ALL_OK = Issue("informational", "All OK", severity="information")


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters of one call."""

    resource: Resource | None
    mode: str | None
    profiles: tuple[str, ...]


async def validate(engine: Engine, request: Request) -> Response:
    """200 with an OperationOutcome, whatever was found; 400 where the call makes no sense, 404 and 410 as ``read``.

    The modes create, update and delete also try the write, by all rules, in a transaction that is rolled back."""
    type_, *rest = request.path[:-1]
    id_ = rest[0] if rest else None
    asked = _asked(request)
    if asked.mode in ("update", "delete") and id_ is None:
        raise Invalid("The modes update and delete are for an instance: Type/id/$validate.", code="value")
    if asked.resource is None and id_ is None:
        raise Invalid("The parameter resource is required here.", code="required")
    issues: list[Issue] = []
    if asked.resource is None and asked.mode != "delete":
        assert id_ is not None
        asked = replace(asked, resource=loads((await current(engine, request.caller, type_, id_)).body))
    if asked.resource is not None:
        issues += _addressed(asked.resource, type_, id_)
        issues += await asyncio.to_thread(judged, asked.resource, asked.profiles)
    if asked.mode in ("create", "update", "delete") and not _errors(issues):
        issues += await _tried(engine, request, asked, type_, id_)
    if not any(issue.severity in ("error", "fatal", "warning") for issue in issues):
        issues.insert(0, _ALL_OK)
    return Response(200, dumps(outcome(issues)))


def _errors(issues: list[Issue]) -> bool:
    return any(issue.severity in ("error", "fatal") for issue in issues)


def _addressed(resource: Resource, type_: str, id_: str | None) -> list[Issue]:
    """Whether the resource is what the URL says."""
    if resource.get("resourceType") != type_:
        return [Issue("invalid", "The resourceType is not the type in the URL.", ("resourceType",))]
    if id_ is not None and resource.get("id") != id_:
        return [Issue("invalid", "The id is not the id in the URL.", (f"{type_}.id",))]
    return []


async def _tried(engine: Engine, request: Request, asked: _Asked, type_: str, id_: str | None) -> tuple[Issue, ...]:
    """What stands in the way of the write itself: rules of the service, references to what is not there."""
    try:
        async with unit_of_work(engine, request.caller) as work:
            await _write(work, asked, type_, id_)
            await work.rehearse()
    except ConsiliumError as refused:
        return refused.issues
    return ()


async def _write(work: UnitOfWork, asked: _Asked, type_: str, id_: str | None) -> None:
    if asked.mode == "delete":
        assert id_ is not None
        await current(work.engine, work.caller, type_, id_)
        await work.delete(type_, id_)
    elif asked.resource is not None:
        if asked.mode == "create":
            await work.create(asked.resource)
        else:
            await work.update(asked.resource)


def _asked(request: Request) -> _Asked:
    """The call, by its query and body. Raises ``Invalid``."""
    modes = [value for name, value in request.parameters if name == "mode"]
    profiles = [value for name, value in request.parameters if name == "profile"]
    resource: Resource | None = None
    if request.method == "POST" and (request.body or request.resource is not None):
        resource = any_resource(request)
        if resource.get("resourceType") == "Parameters":
            resource = _from_parameters(resource, modes, profiles)
    if len(modes) > 1 or any(mode not in MODES for mode in modes):
        raise Invalid("The mode is one of create, update, delete and profile.", code="value")
    if len(profiles) > MOST_ASKED:
        raise Invalid(f"At most {MOST_ASKED} profiles can be asked for.", code="too-costly")
    return _Asked(resource, modes[0] if modes else None, tuple(profiles))


def _from_parameters(parameters: Resource, modes: list[str], profiles: list[str]) -> Resource | None:
    """The resource in Parameters; the mode and profiles there are added to the lists. Raises ``Invalid``."""
    found: list[Resource] = []
    for number, parameter in enumerate(parameters_in(parameters)):
        where = f"Parameters.parameter[{number}]"
        match parameter.get("name"):
            case "resource":
                if not isinstance(parameter.get("resource"), dict):
                    raise Invalid("This parameter is a resource.", code="structure", expression=(where,))
                found.append(parameter["resource"])
            case "mode":
                modes.append(_text(parameter, ("valueCode", "valueString"), where))
            case "profile":
                profiles.append(_text(parameter, ("valueUri", "valueCanonical", "valueUrl", "valueString"), where))
    if len(found) > 1:
        raise Invalid("One resource is validated at a time.", code="structure", expression=("Parameters.parameter",))
    return found[0] if found else None


def _text(parameter: Resource, members: tuple[str, ...], where: str) -> str:
    for member in members:
        if isinstance(value := parameter.get(member), str):
            return value
    raise Invalid(f"This parameter has a {members[0]}.", code="structure", expression=(where,))


VALIDATE = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    levels=frozenset({Level.TYPE, Level.INSTANCE}),
    run=validate,
)
