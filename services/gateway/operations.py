"""The operations that the edge carries out itself, over all services (http://hl7.org/fhir/R4/operations.html)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.gateway.asgi import ASGIApp, Scope, Send
from services.gateway.defining import CANONICAL
from services.gateway.documents.answering import composition_document, plan_document
from services.gateway.everything import everything
from services.gateway.messages import OPERATION as MESSAGES
from services.gateway.plan_record import plan_everything
from shared.fhir.operations.operation import Level, Offer

Run = Callable[[Mapping[str, ASGIApp], Scope, Send, bytes], Awaitable[None]]
"""``run(upstreams, scope, send, body)`` sends the answer. Raises ``ConsiliumError`` while nothing was sent yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOperation(Offer):
    """One operation on an instance, whatever services hold what it is about."""

    levels: frozenset[Level] = frozenset({Level.INSTANCE})
    run: Run
    streamed: bool = True
    """Whether the answer leaves while it is made: in JSON, and in no other format."""


OPERATIONS: tuple[EdgeOperation, ...] = (
    EdgeOperation(
        name="everything",
        definition="http://hl7.org/fhir/OperationDefinition/Patient-everything",
        types=frozenset({"Patient"}),
        run=everything,
    ),
    EdgeOperation(
        name="everything",
        definition=f"{CANONICAL}/careplan-everything",
        types=frozenset({"CarePlan"}),
        run=plan_everything,
    ),
    EdgeOperation(
        name="document",
        definition="http://hl7.org/fhir/OperationDefinition/Composition-document",
        types=frozenset({"Composition"}),
        run=composition_document,
        streamed=False,
    ),
    EdgeOperation(
        name="document",
        definition=f"{CANONICAL}/careplan-document",
        types=frozenset({"CarePlan"}),
        run=plan_document,
        streamed=False,
    ),
)
PROCESS_MESSAGE = Offer(
    name="process-message",
    definition=MESSAGES,
    levels=frozenset({Level.SYSTEM}),
    methods=("POST",),
)
_BY_PLACE = {(type_, f"${each.name}"): each for each in OPERATIONS for type_ in each.types}


def edge_operation(path: str) -> EdgeOperation | None:
    """What ``path`` (``/fhir/Type/id/$name``) asks the edge for."""
    if "/$" not in path:
        return None
    parts = path.split("/")
    return _BY_PLACE.get((parts[2], parts[4])) if len(parts) == 5 and parts[1] == "fhir" else None


def edge_operations_of(type_: str) -> tuple[EdgeOperation, ...]:
    """Those of instances of ``type_``."""
    return tuple(each for each in OPERATIONS if type_ in each.types)
