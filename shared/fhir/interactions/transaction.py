"""transaction: all entries or none (http://hl7.org/fhir/R4/http.html#trules).

Order of processing: DELETE, then POST and PUT, then GET on what was committed. Among POST and PUT, what is referred to
comes before what refers to it, so that a rule may look at the target; references themselves are checked at the commit.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from shared.engine import Engine
from shared.errors import ConsiliumError, Invalid, Issue, NotSupported, PreconditionFailed
from shared.fhir.bundle import LARGEST_ANSWER, Entry, entries, response_bundle
from shared.fhir.http import Request, Response, form, legal_id
from shared.fhir.interactions import create, delete, update
from shared.fhir.interactions.conditional import criteria_of, existing, wait_turn
from shared.fhir.interactions.writing import written
from shared.fhir.json import Resource
from shared.fhir.outcome import error_response
from shared.fhir.references import absolute_references, conditional_references, references, rewritten
from shared.fhir.search import matches
from shared.giving_way import give_way
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

Dispatch = Callable[[Engine, Request], Awaitable[Response]]
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2}
_READS = frozenset({"GET", "HEAD"})
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry and the identity that it will have; ``found`` where If-None-Exist met an existing resource."""

    entry: Entry
    type: str
    id: str
    found: Stored | None = None
    new: bool = False
    """Whether ``id`` was made for it just now."""


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
                answers[entry.number] = await dispatch(engine, entry.request(request))
                size += len(answers[entry.number].body)
            except ConsiliumError as error:
                answers[entry.number] = error_response(error)
    ordered = [answers[entry.number] for entry in listed]
    return response_bundle(
        "transaction-response", ordered, representations=request.prefer("return") == "representation"
    )


async def planned(work: UnitOfWork, request: Request, listed: Iterable[Entry]) -> list[Planned]:
    """What the writes among ``listed`` are about; their locks are held from now on. Raises an entry's error."""
    listed = list(listed)
    for entry in listed:
        if entry.method not in _ORDER and entry.method not in _READS:
            where = (f"Bundle.entry[{entry.number}].request.method",)
            raise NotSupported("This method is not served in a transaction.", expression=where)
    await _wait_turns(work, listed)
    plans = [await _plan(work, entry, request.base) for entry in listed if entry.method in _ORDER]
    _refuse_twins(plans)
    return plans


async def staged(
    work: UnitOfWork, request: Request, plans: list[Planned], elsewhere: Mapping[str, str] = NOTHING
) -> dict[int, Response]:
    """Stage ``plans``; the answer to each by its entry's number. Raises an entry's error, located.

    ``elsewhere``: what the fullUrls of entries of other services turn into."""
    own = _own(plans, request.base) if request.may_name_base else {}
    conditional = await _conditional_targets(work, plans, request.base)
    targets = own | dict(elsewhere) | targets_of(plans) | conditional
    answers: dict[int, Response] = {}
    for step, plan in enumerate(_in_order(plans, targets)):
        await give_way(step)
        try:
            answers[plan.entry.number] = await _stage(work, plan, targets, request)
        except ConsiliumError as error:
            raise _located(error, plan.entry.number) from error
    return answers


async def _wait_turns(work: UnitOfWork, listed: Iterable[Entry]) -> None:
    """Take all locks in one order, whatever the order of the entries: two transactions that cross would both wait."""
    writes = [entry for entry in listed if entry.method in _ORDER and entry.path and entry.path[0] in work.engine.kinds]
    conditional = {entry.path[0] for entry in writes if entry.method == "POST" and "if-none-exist" in entry.headers}
    if len(conditional) > 1:
        for type_ in sorted(conditional):
            await wait_turn(work, type_)
    changed = {(e.path[0], e.path[1]): e.method for e in writes if len(e.path) == 2 and legal_id(e.path[1])}
    deleted = [key for key, method in changed.items() if method == "DELETE"]
    if len(deleted) < len(changed):
        await work.lock_all(changed)
    # only what is to go: others may go on referring to what is changed
    await work.lock_all(deleted, to_delete=True)


async def _plan(work: UnitOfWork, entry: Entry, base: str) -> Planned:
    await give_way(entry.number)
    where = (f"Bundle.entry[{entry.number}].request.url",)
    if entry.query:
        raise NotSupported("Conditional update and delete are not served.", expression=where)
    match entry.method, entry.path:
        case "POST", (type_,):
            work.engine.kinds.kind(type_)
            criteria = entry.headers.get("if-none-exist")
            found = None if criteria is None else await existing(work, type_, criteria, base=base)
            return Planned(entry, type_, found.id if found else work.engine.new_id(type_), found, new=found is None)
        case (("PUT" | "DELETE"), (type_, id_)) if legal_id(id_):
            work.engine.kinds.kind(type_)
            return Planned(entry, type_, id_)
        case _:
            raise Invalid("This url does not fit the method.", code="value", expression=where)


def _refuse_twins(planned: Iterable[Planned]) -> None:
    seen: set[tuple[str, ...]] = set()
    for plan in planned:
        identities = () if plan.found else _identities(plan)
        if not seen.isdisjoint(identities):
            where = (f"Bundle.entry[{plan.entry.number}]",)
            raise Invalid("Two entries of a transaction change the same resource.", code="duplicate", expression=where)
        seen.update(identities or [(plan.type, plan.id)])


def _identities(plan: Planned) -> list[tuple[str, ...]]:
    """What no other entry may write as well: the resource, what its criteria stand for, what its fullUrl stands for."""
    found: list[tuple[str, ...]] = [(plan.type, plan.id)]
    criteria = plan.entry.headers.get("if-none-exist") if plan.entry.method == "POST" else None
    if criteria is not None:
        found.append((plan.type, "?", *(part for pair in sorted(criteria_of(plan.type, criteria)) for part in pair)))
    if plan.entry.full_url and plan.entry.method != "DELETE":
        found.append((plan.entry.full_url,))
    return found


def targets_of(planned: Iterable[Planned]) -> dict[str, str]:
    """What each fullUrl turns into."""
    targets: dict[str, str] = {}
    for plan in planned:
        full_url = plan.entry.full_url
        if full_url and plan.entry.method != "DELETE":
            targets[full_url] = f"{plan.type}/{plan.id}"
            if plan.entry.method == "POST" and not full_url.startswith("urn:"):
                # a relative reference to a POSTed entry is resolved against its fullUrl (bundle.html#references)
                targets["/".join(full_url.rsplit("/", 2)[-2:])] = f"{plan.type}/{plan.id}"
    return targets


def _own(planned: Iterable[Planned], base: str) -> dict[str, str]:
    """What each absolute reference to this server turns into, unless it is the fullUrl of an entry."""
    return {
        holder["reference"]: relative
        for plan in planned
        for holder, relative in absolute_references(plan.entry.resource, base)
    }


async def _conditional_targets(work: UnitOfWork, planned: Iterable[Planned], base: str) -> dict[str, str]:
    """What each conditional reference turns into. Raises ``PreconditionFailed`` unless exactly one matches."""
    wanted = {
        reference: plan.entry.number for plan in planned for reference in conditional_references(plan.entry.resource)
    }
    targets = {}
    for reference, number in wanted.items():
        type_, _, criteria = reference.partition("?")
        where = (f"Bundle.entry[{number}].resource",)
        if type_ not in work.engine.kinds:
            raise PreconditionFailed("A conditional reference names a type of another service.", expression=where)
        # on the connection that this work may hold already: asking the pool for a second one, many at once, locks up
        found = await matches(await work.connection(), type_, form(criteria), base=base, access=work.access, limit=2)
        if len(found) != 1:
            raise PreconditionFailed("A conditional reference must match exactly one resource.", expression=where)
        targets[reference] = f"{type_}/{found[0].id}"
    return targets


def _in_order(planned: list[Planned], targets: dict[str, str]) -> list[Planned]:
    """Deletions, then the rest by method, but targets of references first (cycles keep the order given)."""
    saves = {f"{plan.type}/{plan.id}": plan for plan in planned if plan.entry.method != "DELETE"}
    ordered: dict[int, Planned] = {plan.entry.number: plan for plan in planned if plan.entry.method == "DELETE"}
    for root in sorted(saves.values(), key=lambda plan: _ORDER[plan.entry.method]):
        visited = {root.entry.number}
        stack = [(root, _referred(root, saves, targets))]
        while stack:
            plan, rest = stack[-1]
            following = next((n for n in rest if n.entry.number not in ordered and n.entry.number not in visited), None)
            if following is None:
                ordered.setdefault(plan.entry.number, plan)
                stack.pop()
            else:
                visited.add(following.entry.number)
                stack.append((following, _referred(following, saves, targets)))
    return list(ordered.values())


def _referred(plan: Planned, saves: dict[str, Planned], targets: dict[str, str]) -> Iterator[Planned]:
    """The entries of this Bundle that the entry's resource refers to."""
    for reference in references(plan.entry.resource):
        other = saves.get(targets.get(reference, reference))
        if other is not None:
            yield other


async def _stage(work: UnitOfWork, plan: Planned, targets: dict[str, str], outer: Request) -> Response:
    request = plan.entry.request(outer)
    if plan.entry.method == "DELETE":
        return await delete.stage(work, request)
    request = replace(request, resource=rewritten(request.resource, targets))
    if plan.entry.method == "PUT":
        return await update.stage(work, request)
    if plan.found is not None:
        return written(request, plan.found, created=False)
    headers = {name: value for name, value in request.headers.items() if name != "if-none-exist"}
    return await create.stage(work, replace(request, headers=headers), id=plan.id)


def _located(error: ConsiliumError, number: int) -> ConsiliumError:
    """The error with its expressions below the entry."""
    where = f"Bundle.entry[{number}].resource"
    error.issues = tuple(
        Issue(issue.code, issue.text, tuple(f"{where}.{e}" for e in issue.expression) or (where,), issue.severity)
        for issue in error.issues
    )
    return error
