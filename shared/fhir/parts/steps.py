"""The steps of a part: plan, then prepare or commit. The rules of a transaction are in ``interactions``."""

from collections.abc import Sequence
from dataclasses import replace

from shared.engine import Engine
from shared.errors import Conflict, Invalid
from shared.fhir.bundle import entries, response_bundle
from shared.fhir.http import Request, Response
from shared.fhir.interactions.transaction import Planned, planned, staged, targets_of
from shared.fhir.parts.wire import Identity, Part, Plan, Sketch
from shared.store import decisions, prepared
from shared.store.prepared import Name
from shared.unit_of_work import UnitOfWork, unit_of_work


class Superseded(Conflict):
    """The conditions of an entry find something else than they did when it was planned."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed what the conditions of this transaction find; try again.")


async def plan(engine: Engine, request: Request, sketch: Sketch) -> Plan:
    """What each entry is about as things stand.

    Raises an entry's error, what ``require_slots`` raises, and ``Invalid`` for an ``X-Provenance`` that is none."""
    if sketch.prepares:
        await prepared.require_slots(engine.pool, engine.service)
    listed = entries(sketch.bundle, request.base)
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        await prepared.bound(await work.connection(), sketch.seconds)
        plans = await planned(work, request, listed)
    return Plan([Identity(f"{one.type}/{one.id}", one.new) for one in plans], targets_of(plans))


async def prepare(engine: Engine, request: Request, part: Part) -> Response:
    """Store ``part`` so that whatever happens it can be committed, or rolled back.

    Raises an entry's error, or ``Superseded``; then nothing is stored."""
    name = _name(engine, part)
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        answers = await _staged(work, request, part)
        await work.prepare(name)
    return _answer(request, answers)


async def commit(engine: Engine, request: Request, part: Part) -> Response:
    """Store ``part``, and with it the decision that the other parts are committed.

    Raises as ``prepare`` does, and ``Conflict`` where the transaction was given up before."""
    _name(engine, part)
    async with unit_of_work(engine, request.caller, provenance=request.provenance) as work:
        answers = await _staged(work, request, part)
        # late, so that whoever asks for the decision meanwhile gives it up instead of waiting for us
        await decisions.commit_with(await work.connection(), part.transaction, part.parts)
        await work.commit()
    return _answer(request, answers)


def _name(engine: Engine, part: Part) -> Name:
    try:
        return Name(part.transaction, part.holder, engine.service)
    except ValueError as error:
        raise Invalid("The transaction's id is a UUID.", code="value") from error


async def _staged(work: UnitOfWork, request: Request, part: Part) -> list[Response]:
    listed = entries(part.bundle, request.base)
    await prepared.bound(await work.connection(), part.seconds)
    plans = _as_planned(await planned(work, request, listed), part.identities)
    answers = await staged(work, request, plans, part.elsewhere)
    return [answers[entry.number] for entry in listed]


def _as_planned(plans: Sequence[Planned], told: Sequence[Identity]) -> list[Planned]:
    """``plans`` under the ids that the other parts know already. Raises ``Superseded``."""
    if len(plans) != len(told):
        raise Invalid("There is an identity for each entry.", code="structure")
    agreed = []
    for one, identity in zip(plans, told, strict=True):
        type_, _, id_ = identity.reference.partition("/")
        if one.type != type_ or one.new != identity.new or (not one.new and one.id != id_):
            raise Superseded
        agreed.append(replace(one, id=id_))
    return agreed


def _answer(request: Request, answers: Sequence[Response]) -> Response:
    representations = request.prefer("return") == "representation"
    return response_bundle("transaction-response", answers, representations=representations)
