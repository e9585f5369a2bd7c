"""transaction: all entries or none (http://hl7.org/fhir/R4/http.html#trules).

Order of processing: DELETE, then POST, PUT and PATCH, then GET on what was committed. Among the writes, what is
referred to comes before what refers to it, so that a rule may look at the target; references themselves are checked at
the commit.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

from shared.engine import Engine
from shared.errors import ConsiliumError, Invalid, Issue
from shared.fhir.bundle import LARGEST_ANSWER, entries, read_answer, response_bundle
from shared.fhir.http import Request, Response
from shared.fhir.interactions import create, delete, patch, update
from shared.fhir.interactions.planning import ORDER, Planned, planned
from shared.fhir.interactions.targets import (
    ConditionalReferences,
    own_targets,
    refers_to_open,
    targets_of,
    versions_of,
)
from shared.fhir.interactions.writing import written
from shared.fhir.json import Resource
from shared.fhir.links import VERSION_SPECIFIC, Links, linked
from shared.fhir.outcome import error_response
from shared.fhir.references import references
from shared.giving_way import give_way
from shared.unit_of_work import UnitOfWork, unit_of_work

__all__ = ["Planned", "planned", "staged", "targets_of", "transaction"]

Dispatch = Callable[[Engine, Request], Awaitable[Response]]
NOTHING: Mapping[str, str] = {}
_ASKS_FOR_VERSIONS = VERSION_SPECIFIC.rpartition("/")[2].encode()


async def transaction(engine: Engine, request: Request, bundle: Resource, dispatch: Dispatch) -> Response:
    """A ``transaction-response`` in the order of the entries. Raises an entry's error; then nothing is stored."""
    listed = entries(bundle, request.base)
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        answers = await staged(work, request, await planned(work, request, listed))
        await work.commit()
    size = 0
    for entry in listed:
        await give_way(entry.number)
        if entry.number not in answers:
            try:
                if size > LARGEST_ANSWER:
                    raise Invalid("The transaction reads more than one answer can hold.", code="too-costly")
                answers[entry.number] = read_answer(entry.method, await dispatch(engine, entry.request(request)))
                size += len(answers[entry.number].body)
            except ConsiliumError as error:
                answers[entry.number] = error_response(error)
    ordered = [answers[entry.number] for entry in listed]
    return response_bundle(
        "transaction-response", ordered, representations=request.prefer("return") == "representation"
    )


async def staged(
    work: UnitOfWork, request: Request, plans: list[Planned], elsewhere: Mapping[str, str] = NOTHING
) -> dict[int, Response]:
    """Stage ``plans``; the answer to each by its entry's number. Raises an entry's error, located.

    ``elsewhere``: what the fullUrls of entries of other services turn into."""
    own = own_targets(plans, request.base) if request.may_name_base else {}
    urls = dict(elsewhere) | targets_of(plans)
    fixed = own | urls
    asks_for_versions = request.resource is not None or _ASKS_FOR_VERSIONS in request.body
    versions = await versions_of(work, plans) if asks_for_versions else {}
    deletions = [plan for plan in plans if plan.entry.method == "DELETE"]
    saves = [plan for plan in plans if plan.entry.method != "DELETE"]
    answers: dict[int, Response] = {}
    for plan in deletions:
        await _answer(work, plan, Links(fixed), request, answers)
    conditional = ConditionalReferences(work, plans, request.base)
    await conditional.resolve()
    while saves:
        links = Links(fixed | conditional.targets, urls, versions)
        ready = _ready(saves, links.references, conditional.open)
        for plan in ready:
            await _answer(work, plan, links, request, answers)
        saves = [plan for plan in saves if plan.entry.number not in answers]
        if saves and not await conditional.resolve():
            raise conditional.unresolved(conditional.first_open())
    if conditional:
        await conditional.require_still(plans)
    return answers


async def _answer(
    work: UnitOfWork, plan: Planned, links: Links, request: Request, answers: dict[int, Response]
) -> None:
    await give_way(len(answers))
    work.place = f"Bundle.entry[{plan.entry.number}]"
    try:
        answers[plan.entry.number] = await _stage(work, plan, links, request)
    except ConsiliumError as error:
        raise _located(error, plan.entry.number) from error


def _ready(saves: list[Planned], targets: Mapping[str, str], still_open: set[str]) -> list[Planned]:
    """Those of ``saves`` that wait for no conditional reference, nor refer to one that waits; in order."""
    ordered = _in_order(saves, targets)
    if not still_open:
        return ordered
    waiting = {plan.entry.number for plan in saves if refers_to_open(plan.entry.resource, still_open)}
    by_reference = {f"{plan.type}/{plan.id}": plan for plan in saves}
    while True:
        more = {
            plan.entry.number
            for plan in saves
            if plan.entry.number not in waiting
            and any(other.entry.number in waiting for other in _referred(plan, by_reference, targets))
        }
        if not more:
            return [plan for plan in ordered if plan.entry.number not in waiting]
        waiting |= more


def _in_order(saves: list[Planned], targets: Mapping[str, str]) -> list[Planned]:
    """By method, but targets of references first (cycles keep the order given)."""
    by_reference = {f"{plan.type}/{plan.id}": plan for plan in saves}
    ordered: dict[int, Planned] = {}
    for root in sorted(saves, key=lambda plan: ORDER[plan.entry.method]):
        visited = {root.entry.number}
        stack = [(root, _referred(root, by_reference, targets))]
        while stack:
            plan, rest = stack[-1]
            following = next((n for n in rest if n.entry.number not in ordered and n.entry.number not in visited), None)
            if following is None:
                ordered.setdefault(plan.entry.number, plan)
                stack.pop()
            else:
                visited.add(following.entry.number)
                stack.append((following, _referred(following, by_reference, targets)))
    return list(ordered.values())


def _referred(plan: Planned, saves: Mapping[str, Planned], targets: Mapping[str, str]) -> Iterator[Planned]:
    """The entries of this Bundle that the entry's resource refers to."""
    for reference in references(plan.entry.resource):
        other = saves.get(targets.get(reference, reference))
        if other is not None:
            yield other


async def _stage(work: UnitOfWork, plan: Planned, links: Links, outer: Request) -> Response:
    request = plan.entry.request(outer)
    if plan.entry.method == "DELETE":
        if plan.matched is not None:
            return await delete.stage_all(work, request, list(plan.matched))
        return await delete.stage(work, request)
    request = replace(request, path=(plan.type, plan.id), query="")
    if plan.entry.method == "PATCH":
        return await patch.stage(work, request, lambda resource: linked(resource, links))
    if plan.found is not None:
        return written(request, plan.found, created=False)
    resource = linked(request.resource, links)
    if plan.entry.method == "PUT":
        if plan.matched is not None:
            resource = resource | {"id": plan.id}
        return await update.stage(work, replace(request, resource=resource))
    headers = {name: value for name, value in request.headers.items() if name != "if-none-exist"}
    request = replace(request, path=(plan.type,), resource=resource, headers=headers)
    return await create.stage(work, request, id=plan.id)


def _located(error: ConsiliumError, number: int) -> ConsiliumError:
    """The error with its expressions below the entry."""
    where = f"Bundle.entry[{number}].resource"
    error.issues = tuple(
        Issue(issue.code, issue.text, tuple(f"{where}.{e}" for e in issue.expression) or (where,), issue.severity)
        for issue in error.issues
    )
    return error
