"""``/cds-services``: CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/). JSON by the specification; errors are problems."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from services.careplans.api.hook_examples import CALLS, FEEDBACK, RESPONSES
from services.careplans.app import hooks
from services.careplans.domain.hooks.services import discovery
from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.json import dumps, received
from shared.security.dependency import CurrentCaller

router = APIRouter(prefix="/cds-services", tags=["cds-hooks"])
ServiceId = Annotated[str, Path(pattern=r"^[A-Za-z0-9\-.]{1,64}$", description="`id` of a service, by discovery.")]


def _documented(examples: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "examples": examples}}
    return {"requestBody": {"required": True, "content": content}}


@router.get("", responses={200: RESPONSES["discovery"]})
async def services(caller: CurrentCaller) -> Response:
    """The services, their hooks and what they want to be prefetched."""
    return _json(discovery())


@router.post("/{service_id}", openapi_extra=_documented(CALLS), responses={200: RESPONSES["cards"]})
async def call(request: Request, caller: CurrentCaller, service_id: ServiceId) -> Response:
    """Cards for `patient-view`, `order-select` or `order-sign`: findings of the safety rules with their sources. What
    is not prefetched comes from the shared record, where the patient is in it; `fhirServer` is never called. 400 for
    what cannot be read, 412 where the patient or the prescriptions cannot be had. Advisory."""
    return _json(await hooks.call(_engine(request), caller, service_id, await _body(request)))


@router.post("/{service_id}/feedback", openapi_extra=_documented(FEEDBACK), responses={200: RESPONSES["feedback"]})
async def feedback(request: Request, caller: CurrentCaller, service_id: ServiceId) -> Response:
    """What people did with cards. An override of a finding of the shared record is kept as its acknowledgement."""
    kept = await hooks.feedback(_engine(request), caller, service_id, await _body(request))
    return _json({"acknowledged": kept})


async def _body(request: Request) -> Any:
    body = await request.body()
    if not body:
        raise Invalid("A JSON body is required.", code="required")
    return received(body)


def _json(content: Any) -> Response:
    return Response(dumps(content), media_type="application/json")


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
