"""``$document``: of a Composition (http://hl7.org/fhir/R4/composition-operation-document.html), and of a CarePlan
(docs/documents.md), over all services."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from services.gateway.asgi import Answer, ASGIApp, Scope, Send, send_answer
from services.gateway.documents.assembling import closed, document, entry, missing
from services.gateway.documents.hand_over import hand_over
from services.gateway.formats import as_asked
from services.gateway.outcome import FHIR_JSON
from services.gateway.plan_record import PlanRecord
from services.gateway.records import Found, Key, Record, id_in
from services.gateway.routing import CAREPLANS
from shared.clock import system_clock
from shared.errors import Invalid, Unprocessable
from shared.fhir.compartment import patient_compartment
from shared.fhir.http import form, query_of
from shared.fhir.json import dumps, loads, received
from shared.ids import uuid7

MOST_RESOURCES = 2_000
LARGEST = 32 * 1024 * 1024
"""Bytes of the resources in one document, which is made in memory."""


async def composition_document(upstreams: Mapping[str, ASGIApp], scope: Scope, send: Send, body: bytes) -> None:
    """Answers the request in ``scope``. Raises ``ConsiliumError``."""
    require_plain(scope, body)
    record = _CompositionRecord(upstreams, scope)
    answer = await record.ask(CAREPLANS, f"/fhir/Composition/{record.composition[1]}")
    if answer.status == 200:
        await record.locate(CAREPLANS, record.composition)
        first = Found(record.composition, answer.body)
        record.take([first])
        size = Size()
        others = [each async for some in record.referred() for each in size.counted(some)]
        if missing(loads(first.resource), record.shown):
            text = "The document would not be whole: the Composition refers to what is not here, or not to be seen."
            raise Unprocessable(text, code="not-found", expression=("Composition",))
        entries = [entry(f"{record.base}/{each.key[0]}/{each.key[1]}", each.resource) for each in (first, *others)]
        made = document(entries[0], entries[1:], identifier=uuid7(), at=system_clock())
        answer = Answer(200, made, (FHIR_JSON,))
    await send_answer(await as_asked(answer, scope), send, body=scope["method"] != "HEAD")


async def plan_document(upstreams: Mapping[str, ASGIApp], scope: Scope, send: Send, body: bytes) -> None:
    """Answers the request in ``scope``. Raises ``ConsiliumError``."""
    require_plain(scope, body)
    record = _HandOver(upstreams, scope)
    size = Size()
    found: list[Found] = []
    async for some in record.found():
        if isinstance(some, Answer):
            await send_answer(await as_asked(some, scope), send, body=scope["method"] != "HEAD")
            return
        found += size.counted(some)
    made = await asyncio.to_thread(_of_plan, record, found)
    answer = Answer(200, made, (FHIR_JSON,))
    await send_answer(await as_asked(answer, scope), send, body=scope["method"] != "HEAD")


def require_plain(scope: Scope, body: bytes) -> None:
    """Raises ``Invalid`` for parameters, in the query or in ``body``, that this server does not carry out."""
    given = [(name, value, "") for name, value in form(query_of(scope.get("query_string", b"")))]
    if body:
        given += _in_body(received(body))
    for name, value, where in given:
        expression = (where,) if where else ()
        if name == "graph":
            raise Invalid(
                "Documents are not made by a GraphDefinition here.", code="not-supported", expression=expression
            )
        if name == "id":
            raise Invalid("The URL says of what the document is made.", code="not-supported", expression=expression)
        if name == "persist" and value == "true":
            text = "Documents are not stored by this operation; post the Bundle to keep it."
            raise Invalid(text, code="not-supported", expression=expression)
        if name == "persist" and value != "false":
            raise Invalid("The parameter persist is true or false.", code="value", expression=expression)


def _in_body(resource: object) -> list[tuple[str, str, str]]:
    """Name, value and place of the parameters in a Parameters resource. Raises ``Invalid``."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
    listed = resource.get("parameter", [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Invalid(
            "The parameters are not a list of objects.", code="structure", expression=("Parameters.parameter",)
        )
    return [
        (str(each.get("name")), _simple(each), f"Parameters.parameter[{number}]") for number, each in enumerate(listed)
    ]


def _simple(parameter: dict[str, object]) -> str:
    value = next((value for name, value in parameter.items() if name.startswith("value")), "")
    return str(value).lower() if isinstance(value, bool) else str(value)


class _CompositionRecord(Record):
    """What a Composition refers to, and who and where that names."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], scope: Scope) -> None:
        super().__init__(upstreams, scope)
        self.composition: Key = ("Composition", id_in(scope))

    def follows(self, of: Key, to: str) -> bool:
        """All that the Composition refers to; of the rest, what leaves the patient's record."""
        return of == self.composition or to not in patient_compartment()


class _HandOver(PlanRecord):
    """A plan's record with the patient's current medications, without its Provenance."""

    async def beside(self, patient: str | None) -> AsyncIterator[list[Found]]:
        """The medications."""
        if patient is None:
            return
        for type_, status in (
            ("MedicationRequest", "active,on-hold"),
            ("MedicationStatement", "active,on-hold,intended"),
        ):
            async for some in self.search(CAREPLANS, type_, f"patient={quote(patient)}&status={status}"):
                yield some


class Size:
    """How much is held for one document."""

    def __init__(self) -> None:
        self._resources = self._bytes = 0

    def counted(self, some: list[Found]) -> list[Found]:
        """``some``, which still fit. Raises ``Invalid`` (too costly)."""
        self._resources += len(some)
        self._bytes += sum(len(each.resource) for each in some)
        if self._resources > MOST_RESOURCES or self._bytes > LARGEST:
            raise Invalid("The document would hold more than this server puts into one.", code="too-costly")
        return some


def _of_plan(record: PlanRecord, found: list[Found]) -> bytes:
    whole, at = closed(found), system_clock()
    composition, *others = (
        entry(f"urn:uuid:{uuid7()}", dumps(hand_over(record.plan, whole, base=record.base, at=at))),
        *(entry(f"{record.base}/{each.key[0]}/{each.key[1]}", each.resource) for each in whole),
    )
    return document(composition, others, identifier=uuid7(), at=at)
