"""``CarePlan/[id]/$contribute`` over FHIR: its Parameters, and what it answers. Its definition is at the gateway."""

from services.careplans.app.contributing import contribute
from services.careplans.domain.contributing import Contribution
from shared.engine import Engine
from shared.errors import Invalid, Unprocessable
from shared.fhir.etags import tags
from shared.fhir.http import Request, Response, any_resource
from shared.fhir.interactions.writing import written
from shared.fhir.json import Resource
from shared.fhir.parameters import parameters, parameters_in
from shared.fhir.validate import check

LONGEST_REASON = 1_000
"""Characters."""
MOST_DIGITS = 9
_VERSION = "Parameters.parameter.where(name='resource').resource.meta.versionId"
_NAMES = ("resource", "reason")


async def contribution(engine: Engine, request: Request) -> Response:
    """200 with the plan as it is then; 409 with what differs where others changed the same."""
    _, id_, _ = request.path
    asked = contribution_in(request, id_)
    stored = await contribute(engine, request.caller, id_, asked, provenance=request.provenance)
    return written(request, stored, created=False)


def contribution_in(request: Request, id_: str) -> Contribution:
    """What the body contributes to the plan ``id_``: Parameters, or the CarePlan alone.

    Raises ``Invalid`` for what is malformed, ``Unprocessable`` for a parameter that is not known."""
    body = any_resource(request)
    plan, reason = (body, None) if body.get("resourceType") == "CarePlan" else _given(body)
    if plan.get("id") != id_:
        raise Invalid("The plan's id is not the id in the URL.", expression=("CarePlan.id",))
    return Contribution(plan, _base(request, plan), reason)


def _given(body: Resource) -> tuple[Resource, str | None]:
    if body.get("resourceType") != "Parameters":
        raise Invalid("The body is Parameters, or a CarePlan.", code="structure", expression=("resourceType",))
    given: dict[str, Resource] = {}
    for number, parameter in enumerate(parameters_in(body)):
        name, where = parameter.get("name"), f"Parameters.parameter[{number}]"
        if not isinstance(name, str) or name not in _NAMES:
            text = f"The parameters are: {', '.join(_NAMES)}."
            raise Unprocessable(text, code="not-supported", expression=(f"{where}.name",))
        if name in given:
            raise Unprocessable("This parameter comes once.", expression=(where,))
        given[name] = parameter
    plan = given.get("resource", {}).get("resource")
    if not isinstance(plan, dict) or plan.get("resourceType") != "CarePlan":
        where = "Parameters.parameter.where(name='resource').resource"
        raise Invalid("The parameter resource is a CarePlan.", code="required", expression=(where,))
    return plan, _reason(given["reason"]) if "reason" in given else None


def _reason(parameter: Resource) -> str:
    reason = parameter.get("valueString")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
        text = f"The reason is a valueString of 1 to {LONGEST_REASON} characters."
        raise Invalid(text, code="value", expression=("Parameters.parameter.where(name='reason').value",))
    check(parameters({"name": "reason", "valueString": reason}))
    return reason


def _base(request: Request, plan: Resource) -> int:
    """The version that it was made from: of ``meta.versionId``, of If-Match, or of both where they agree."""
    meta = plan.get("meta")
    said = meta.get("versionId") if isinstance(meta, dict) else None
    versions: set[int] = set()
    if said is not None:
        if not isinstance(said, str) or not said.isascii() or not said.isdigit() or len(said) > MOST_DIGITS:
            raise Invalid("The plan has not had this version.", code="value", expression=(_VERSION,))
        versions.add(int(said))
    if (header := request.headers.get("if-match")) is not None:
        named = tags(header)
        if named.any or len(named.versions) != 1:
            raise Invalid("If-Match names the one version that the contribution was made from.", code="value")
        versions |= named.versions
    if not versions:
        text = "Say from which version it was made: meta.versionId, or If-Match."
        raise Invalid(text, code="required", expression=(_VERSION,))
    if len(versions) > 1:
        raise Invalid("meta.versionId and If-Match name different versions.", code="value", expression=(_VERSION,))
    return versions.pop()
