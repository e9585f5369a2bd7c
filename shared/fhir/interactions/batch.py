"""batch: every entry on its own; one that fails does not touch the others (http://hl7.org/fhir/R4/http.html#transaction)."""

from collections.abc import Awaitable, Callable

from shared.engine import Engine
from shared.errors import Invalid
from shared.fhir.bundle import LARGEST_ANSWER, entry_at, listed, read_answer, response_bundle
from shared.fhir.http import Request, Response
from shared.fhir.json import Resource
from shared.fhir.outcome import failure_response
from shared.fhir.references import make_relative
from shared.giving_way import give_way

Dispatch = Callable[[Engine, Request], Awaitable[Response]]
_READS = frozenset({"GET", "HEAD"})


async def batch(engine: Engine, request: Request, bundle: Resource, dispatch: Dispatch) -> Response:
    """A ``batch-response`` with an answer per entry, in order."""
    answers: list[Response] = []
    size = 0
    may_name_base = request.may_name_base
    for number, raw in enumerate(listed(bundle)):
        await give_way(number)
        try:
            asked = entry_at(number, raw, request.base).request(request)
            if size > LARGEST_ANSWER and (asked.method in _READS or asked.path[-1:] == ("_search",)):
                raise Invalid("The batch reads more than one answer can hold.", code="too-costly")
            if may_name_base:
                make_relative(asked.resource, request.base)
            answers.append(read_answer(asked.method, await dispatch(engine, asked)))
            size += len(answers[-1].body)
        except Exception as error:  # noqa: BLE001  others of the batch are stored: their answers must not be lost
            answers.append(failure_response(error))
    return response_bundle("batch-response", answers, representations=request.prefer("return") == "representation")
