"""``CarePlan/[id]/$diff`` over FHIR: two versions in, Parameters out. Its definition is at the gateway."""

from collections.abc import Iterator
from typing import Any

from services.careplans.app.differences import Differences, differences_between
from services.careplans.domain.versions import Change, Version
from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.difference import as_text
from shared.fhir.http import Request, Response, any_resource
from shared.fhir.json import Resource, dumps
from shared.fhir.parameters import parameters, parameters_in, parts, value

_FROM, _TO = "from", "to"
_MOST = 2**31 - 1
_ELEMENTS = ("valuePositiveInt", "valueInteger")


async def difference(engine: Engine, request: Request) -> Response:
    """200 with a ``change`` for each element that differs."""
    _, id_, _ = request.path
    asked = _asked(request)
    if _FROM not in asked:
        raise Invalid("Say from which version.", code="required", expression=(_FROM,))
    found = await differences_between(engine, request.caller, id_, asked[_FROM], asked.get(_TO))
    return Response(200, dumps(_told(found)))


def _asked(request: Request) -> dict[str, int]:
    asked: dict[str, int] = {}
    for name, said in _of_body(request) if request.body or request.resource else _of_query(request):
        if name not in (_FROM, _TO):
            raise Invalid("The parameters are: from, to.", code="not-supported")
        if name in asked:
            raise Invalid("This parameter comes once.", expression=(name,))
        if said is None or not 0 < said <= _MOST:
            raise Invalid("A version is a positive number.", code="value", expression=(name,))
        asked[name] = said
    return asked


def _of_query(request: Request) -> Iterator[tuple[str, int | None]]:
    for name, text in request.parameters:
        if not name.startswith("_"):
            yield name, int(text) if text.isascii() and text.isdigit() and len(text) < 11 else None


def _of_body(request: Request) -> Iterator[tuple[Any, int | None]]:
    body = any_resource(request)
    if body.get("resourceType") != "Parameters":
        raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
    for parameter in parameters_in(body):
        said = next((parameter[element] for element in _ELEMENTS if element in parameter), None)
        yield parameter.get("name"), said if type(said) is int else None


def _told(found: Differences) -> Resource:
    return parameters(
        value(_FROM, "valuePositiveInt", found.first),
        value(_TO, "valuePositiveInt", found.last),
        *map(_change, found.changes),
    )


def _change(change: Change) -> Resource:
    what = change.difference
    told = [value("path", "valueString", what.path)]
    sides = (("before", what.before), ("after", what.after))
    told += [value(name, "valueString", as_text(said)) for name, said in sides if said is not None]
    told += [value("summary", "valueString", line) for line in change.summary]
    told += [_by(version) for version in change.versions]
    return parts("change", *told)


def _by(version: Version) -> Resource:
    account = version.account
    told = [
        value("version", "valuePositiveInt", version.number),
        value("recorded", "valueInstant", version.recorded),
    ]
    if account.who is not None:
        told.append(value("who", "valueReference", account.who))
    codes = (("role", account.role), ("discipline", account.discipline))
    told += [value(name, "valueCode", code) for name, code in codes if code is not None]
    if account.reason is not None:
        told.append(value("reason", "valueString", account.reason))
    return parts("by", *told)
