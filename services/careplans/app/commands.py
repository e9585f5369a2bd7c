"""What is done to the shared plan: follow a referral, or open the plan before there is one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import BaseModel

from services.careplans.domain.referral import Referral, merge, witness
from services.careplans.domain.rules import KEEPER, refuse_patients
from services.careplans.domain.shared_plan import apply_referrals, has_ended
from services.careplans.store import followed_referrals, shared_plans
from services.careplans.store.shared_plans import SharedPlan
from shared.contracts.referrals import ReferralV1
from shared.engine import Engine
from shared.errors import Unavailable, Unprocessable
from shared.fhir.json import Resource, loads
from shared.fhir.kinds import Fact
from shared.messaging.envelope import Event
from shared.security.caller import Caller
from shared.store import resources
from shared.store.database import Connection
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork, unit_of_work

CONSUMER = "careplans.referrals"
PATIENT = "Patient/"


async def follow_referral(engine: Engine, event: Event, payload: ReferralV1) -> None:
    """Bring the patient's shared plan in step with what ``event`` says of a referral; make it where there is none.

    A draft Task is no referral yet, and a Task for nobody has no plan. Events may come in any order and more than once.

    Raises ``Unavailable`` while the patient is not in the shared record: the referral came before the patient did. The
    message is then delivered again with growing delay, in the end it is a dead letter, and a replay after the patient's
    arrival works. A report among the outputs that is not here yet does not hold up the plan: everything else is
    committed, and the same error brings the message back for the missing outcome."""
    if payload.status == "draft" or payload.patient is None or not payload.patient.startswith(PATIENT):
        return
    async with unit_of_work(_telling_cause(engine, event.id), KEEPER) as work:
        connection = await work.connection()
        await _require_patient(connection, payload.patient)
        shared = await _plan_for(work, payload.patient, payload.task)
        known = await followed_referrals.of_plan(connection, shared.care_plan)
        earlier = known.get(payload.task)
        known[payload.task] = told = merge(earlier, _told(payload))
        absent = await _absent_outputs(work, known.values())
        late = not absent.isdisjoint(told.outputs)
        if not late and not await work.first_time(CONSUMER, event.id):
            return
        if told != earlier:
            await followed_referrals.keep(connection, shared.care_plan, told)
        await _project(work, shared, [_without(referral, absent) for referral in known.values()])
        await work.commit()
    if late:
        raise Unavailable("An output of the referral is not in the shared record yet.")


async def open_plan(engine: Engine, caller: Caller, patient: str) -> tuple[str, bool]:
    """The id of the patient's shared plan and whether it was made just now, as a draft without activities.

    Raises ``Forbidden`` for patients, ``Unprocessable`` where the patient is not in the shared record."""
    refuse_patients(caller)
    async with unit_of_work(engine, caller) as work:
        connection = await work.connection()
        if not await resources.present(connection, [_key(patient)]):
            raise Unprocessable("The patient is not in the shared record.", code="not-found", expression=("patient",))
        shared = await _plan_for(work, patient, None)
        known = await followed_referrals.of_plan(connection, shared.care_plan)
        made = await _load(work, "CarePlan", shared.care_plan) is None
        if made:
            await _project(work, shared, list(known.values()))
            await work.commit()
        return shared.care_plan, made


async def _plan_for(work: UnitOfWork, patient: str, task: str | None) -> SharedPlan:
    """The shared plan to work on, locked. A referral stays with the plan that it came into, even one that has ended;
    a new one opens the next plan then."""
    connection = await work.connection()
    ids = {"care_plan": work.engine.ids(), "care_team": work.engine.ids()}
    current = await shared_plans.claim(connection, patient, **ids)
    followed_by = await followed_referrals.plan_of(connection, task) if task else None
    if followed_by is not None:
        return current if followed_by == current.care_plan else await shared_plans.lock(connection, followed_by)
    plan = await _load(work, "CarePlan", current.care_plan)
    if plan is not None and has_ended(plan):
        return await shared_plans.succeed(connection, current, **ids)
    return current


async def _project(work: UnitOfWork, shared: SharedPlan, referrals: Sequence[Referral]) -> None:
    change = apply_referrals(
        await _load(work, "CarePlan", shared.care_plan),
        await _load(work, "CareTeam", shared.care_team),
        referrals,
        plan_id=shared.care_plan,
        team_id=shared.care_team,
        patient=shared.patient,
        now=work.now,
    )
    if change.team is not None and change.team_changed:
        await work.update(change.team, decider=KEEPER)
    if change.plan_changed:
        await work.update(change.plan, decider=KEEPER)


async def _load(work: UnitOfWork, type_: str, id_: str) -> Resource | None:
    stored = await work.load(type_, id_)
    if stored is None or stored.deleted:
        return None
    resource: Resource = loads(stored.body)
    return resource


async def _require_patient(connection: Connection, patient: str) -> None:
    if not await resources.present(connection, [_key(patient)]):
        raise Unavailable("The patient of the referral is not in the shared record yet.")


async def _absent_outputs(work: UnitOfWork, referrals: Iterable[Referral]) -> frozenset[str]:
    """The outputs of completed referrals that this service would own and does not have."""
    outputs = {output for referral in referrals if referral.status == "completed" for output in referral.outputs}
    own = {output: key for output in outputs if (key := _key(output))[0] in work.engine.kinds}
    if not own:
        return frozenset()
    present = await resources.present(await work.connection(), list(own.values()))
    return frozenset(output for output, key in own.items() if key not in present)


def _without(referral: Referral, absent: frozenset[str]) -> Referral:
    kept = tuple(output for output in referral.outputs if output not in absent and not output.startswith("#"))
    return referral if kept == referral.outputs else replace(referral, outputs=kept)


def _told(payload: ReferralV1) -> Referral:
    referral = Referral(
        task=payload.task,
        version=payload.version,
        patient=payload.patient or "",
        status=payload.status,
        business_status=payload.business_status,
        service_request=payload.service_request,
        discipline=payload.discipline,
        owner=payload.owner,
        outputs=payload.outputs,
    )
    return witness(referral, datetime.fromisoformat(payload.occurred_at), payload.previous_status)


def _key(reference: str) -> tuple[str, str]:
    """Type and id of a relative reference, with or without a version."""
    type_, _, rest = reference.partition("/")
    return type_, rest.partition("/")[0]


def _telling_cause(engine: Engine, event_id: str) -> Engine:
    """``engine``, whose events name the event that caused them."""

    def outgoing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
        for type_, subject, payload in engine.outgoing(fact, stored, caller):
            yield type_, subject, payload.model_copy(update={"caused_by": event_id})

    return replace(engine, outgoing=outgoing)
