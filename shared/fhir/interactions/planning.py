"""What the writes of a transaction are about, before any is done (http://hl7.org/fhir/R4/http.html#trules).

Locks are taken in one order by all transactions, whatever the order of their entries: two that cross would else wait
for each other. First the turns of conditional writes, by type; then what is there, by type and id.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import ConsiliumError, Invalid, Issue, NotFound
from shared.fhir.bundle import Entry
from shared.fhir.http import Request, legal_id
from shared.fhir.interactions.conditional import (
    MOST_DELETED,
    criteria_of,
    hold,
    id_for,
    matching,
    require_free,
    wait_turn,
)
from shared.giving_way import give_way
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2}
"""The writes, in the order of their processing."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry and the identity that it will have."""

    entry: Entry
    type: str
    id: str
    """Empty for a deletion by criteria that nothing, or more than one, matches."""
    found: Stored | None = None
    """What If-None-Exist met: nothing is written."""
    new: bool = False
    """Whether ``id`` was made for it just now."""
    matched: tuple[Stored, ...] | None = None
    """What the criteria in place of an id match; None where there are none."""


async def planned(work: UnitOfWork, request: Request, listed: Iterable[Entry]) -> list[Planned]:
    """What the writes among ``listed`` are about; their locks are held from now on. Raises an entry's error."""
    writes = [entry for entry in listed if not entry.reads]
    turns = {entry.path[0] for entry in writes if _is_conditional(entry) and entry.path[0] in work.engine.kinds}
    for type_ in sorted(turns):
        await wait_turn(work, type_)
    plans = []
    for step, entry in enumerate(writes):
        await give_way(step)
        try:
            plans.append(await _plan(work, entry, request.base))
        except ConsiliumError as error:
            raise _at_request(error, entry) from error
    _refuse_twins(plans)
    await _lock(work, plans)
    for plan in plans:
        try:
            await _confirm(work, plan, request.base)
        except ConsiliumError as error:
            raise _at_request(error, plan.entry) from error
    return plans


def _is_conditional(entry: Entry) -> bool:
    if len(entry.path) != 1:
        return False
    return "if-none-exist" in entry.headers if entry.method == "POST" else entry.method in ORDER


async def _plan(work: UnitOfWork, entry: Entry, base: str) -> Planned:
    match entry.method, entry.path:
        case "POST", (type_,) if not entry.query:
            work.engine.kinds.kind(type_)
            criteria = entry.headers.get("if-none-exist")
            found = None if criteria is None else await _one(work, type_, criteria, base)
            return Planned(entry, type_, found.id if found else work.engine.new_id(type_), found, new=found is None)
        case (("PUT" | "PATCH" | "DELETE"), (type_, id_)) if legal_id(id_) and not entry.query:
            work.engine.kinds.kind(type_)
            return Planned(entry, type_, id_)
        case "PUT", (type_,):
            work.engine.kinds.kind(type_)
            found = await _one(work, type_, entry.query, base)
            resource = {"resourceType": type_} | (entry.resource or {})
            id_ = id_for(work, found, resource)
            return Planned(entry, type_, id_, new="id" not in resource and found is None, matched=_tuple(found))
        case "PATCH", (type_,):
            work.engine.kinds.kind(type_)
            found = await _one(work, type_, entry.query, base)
            if found is None:
                raise NotFound("Nothing matches the criteria.")
            return Planned(entry, type_, found.id, matched=(found,))
        case "DELETE", (type_,):
            work.engine.kinds.kind(type_)
            limit = MOST_DELETED if work.engine.rules.deletes_several else 1
            all_ = await matching(work, type_, entry.query, base=base, limit=limit, in_turn=True)
            return Planned(entry, type_, all_[0].id if len(all_) == 1 else "", matched=tuple(all_))
        case _:
            raise Invalid("This url does not fit the method.", code="value")


async def _one(work: UnitOfWork, type_: str, criteria: str, base: str) -> Stored | None:
    found = await matching(work, type_, criteria, base=base, limit=1, in_turn=True)
    return found[0] if found else None


def _tuple(found: Stored | None) -> tuple[Stored, ...]:
    return () if found is None else (found,)


async def _lock(work: UnitOfWork, plans: list[Planned]) -> None:
    changed: dict[tuple[str, str], bool] = {}
    for plan in plans:
        # what a POST makes is under an id of ours: nobody has it
        if plan.entry.method != "POST" and not plan.new:
            ids = [stored.id for stored in plan.matched] if plan.matched else [plan.id]
            changed |= {(plan.type, id_): plan.entry.method == "DELETE" for id_ in ids if id_}
    for plan in plans:
        if plan.entry.resource is not None and plan.entry.method in ("POST", "PUT"):
            for key in work.held_with(plan.type, plan.entry.resource):
                changed.setdefault(key, False)
    deleted = [key for key, goes in changed.items() if goes]
    if len(deleted) < len(changed):
        await work.lock_all(changed)
    # only what is to go: others may go on referring to what is changed
    await work.lock_all(deleted, to_delete=True)


async def _confirm(work: UnitOfWork, plan: Planned, base: str) -> None:
    """What the criteria matched is locked now. Raises ``Conflict`` where somebody was faster."""
    if plan.matched:
        goes = plan.entry.method == "DELETE"
        await hold(work, plan.matched, plan.type, plan.entry.query, base=base, to_delete=goes)
    elif plan.matched is not None and plan.entry.method == "PUT" and not plan.new:
        await require_free(work, plan.type, plan.id)


def _refuse_twins(plans: Iterable[Planned]) -> None:
    """Raises ``Invalid`` where two entries stand for one resource, of which at least one writes it."""
    written: set[tuple[str, ...]] = set()
    kept: set[tuple[str, ...]] = set()
    for plan in plans:
        if plan.found is not None:
            kept.add((plan.type, plan.id))
            twin = (plan.type, plan.id) in written
        else:
            identities = _identities(plan)
            twin = not written.isdisjoint(identities) or not kept.isdisjoint(identities)
            written.update(identities)
        if twin:
            where = (f"Bundle.entry[{plan.entry.number}]",)
            raise Invalid("Two entries of a transaction change the same resource.", code="duplicate", expression=where)


def _identities(plan: Planned) -> list[tuple[str, ...]]:
    """What no other entry may write as well: resources, what criteria and what a fullUrl stand for."""
    ids = [plan.id] if plan.matched is None or plan.id else [stored.id for stored in plan.matched]
    found: list[tuple[str, ...]] = [(plan.type, id_) for id_ in ids]
    criteria = None
    if plan.entry.method == "POST":
        criteria = plan.entry.headers.get("if-none-exist")
    elif plan.entry.method == "PUT" and plan.matched == ():
        criteria = plan.entry.query
    if criteria is not None:
        found.append((plan.type, "?", *(part for pair in sorted(criteria_of(plan.type, criteria)) for part in pair)))
    if plan.entry.full_url and plan.entry.method != "DELETE":
        found.append((plan.entry.full_url,))
    return found


def _at_request(error: ConsiliumError, entry: Entry) -> ConsiliumError:
    """The error, at the request of the entry unless it says where already."""
    where = f"Bundle.entry[{entry.number}]"
    place = "ifNoneExist" if entry.method == "POST" and "if-none-exist" in entry.headers else "url"
    error.issues = tuple(
        Issue(
            issue.code,
            issue.text,
            tuple(e if e.startswith("Bundle.") else f"{where}.resource.{e}" for e in issue.expression)
            or (f"{where}.request.{place}",),
            issue.severity,
        )
        for issue in error.issues
    )
    return error
