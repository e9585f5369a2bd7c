"""Tell what is due of the clocks of referrals: each stage once, however many workers look, and late rather than never.

A stage is told by an event in the transaction that moves the clock on: it is in the outbox, or still due.
"""

from datetime import datetime

from services.referrals.app.place import calendar_of_place
from services.referrals.domain.clocks import Fired, addressee, fire
from services.referrals.domain.events import ClockFired
from services.referrals.domain.standing import Standing, after_firing
from services.referrals.store import referrals
from services.referrals.store.moments import Moment
from shared.engine import Engine
from shared.security.caller import internal
from shared.store.resources import Stored
from shared.telemetry.instruments import counts
from shared.unit_of_work import unit_of_work

BATCH = 200
"""Referrals that one transaction tells of."""
ME = internal("referrals")

FIRED = counts("consilium.referral.clocks", "Stages told of referrals that wait.", "stage", "late")
"""``late``: yes, no."""


async def fire_due(engine: Engine, *, limit: int = BATCH) -> int:
    """Tell the stages that are due of up to ``limit`` referrals; of how many that was."""
    async with unit_of_work(engine, ME) as work:
        connection = await work.connection()
        due = await referrals.due(connection, work.now, limit=limit)
        told = [told for standing in due if (told := _fired(standing, work.now)) is not None]
        for standing, fired in told:
            stored = Stored("Task", standing.task, standing.version, work.now, False, b"")
            for type_, subject, payload in engine.outgoing(_fact(standing, fired, work.now), stored, ME):
                work.record(type_, subject, payload)
        happened = [_moment(standing, fired, work.now) for standing, fired in told]
        await referrals.keep(connection, [standing for standing, _ in told], happened)
        await work.commit()
    for _, fired in told:
        FIRED.add(fired.stage.value, "yes" if fired.late else "no")
    return len(told)


def _fired(standing: Standing, now: datetime) -> tuple[Standing, Fired] | None:
    clock = standing.clock
    then = None if clock is None else fire(clock, now, standing.terms(calendar_of_place()))
    return None if then is None else (after_firing(standing, *then), then[0])


def _fact(standing: Standing, fired: Fired, at: datetime) -> ClockFired:
    clock = standing.clock
    assert clock is not None, "only a clock that runs fires"
    return ClockFired(
        stage=fired.stage,
        passed_over=fired.passed_over,
        wait=clock.wait,
        addressee=addressee(fired.stage, clock.wait, returned=standing.returned_at is not None),
        waits_since=clock.since,
        due_at=fired.due_at,
        planned_at=fired.planned_at,
        at=at,
        late=fired.late,
        service_request=standing.service_request,
        patient=standing.patient,
        discipline=standing.discipline,
        requester=standing.requester,
        owner=standing.owner,
        offered=tuple((standing.offered or "").split()),
    )


def _moment(standing: Standing, fired: Fired, at: datetime) -> Moment:
    return Moment(
        standing.task,
        standing.version,
        at,
        fired.stage.value,
        standing.status,
        standing.business_status,
        "The system was late to tell this." if fired.late else None,
        standing.owner,
        ME.subject,
        ME.role,
    )
