"""A year of 5,000 referrals on a clock that we move, with three workers of which one is killed every week.

The workers are processes that run the job of production; what is simulated is the time. Every stage of every clock is
told once, when it should be, and nothing is stuck. Run it with ``-s`` to see the figures.
"""

import asyncio
import json
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from typing import Any, TypeAlias

import pytest

from services.referrals.domain.clocks import LATE
from services.referrals.main import SERVICE
from services.referrals.worker import keep_clocks
from shared.clock import instant
from shared.engine import Engine
from shared.security.caller import Caller
from shared.service import engine_of
from shared.store.database import open_pool
from shared.unit_of_work import unit_of_work
from tests.eventually import eventually
from tests.factories.referrals import BACK_END, OWNER, REQUESTER, concept, order, reference, task
from tests.integration.referrals.asking import PEOPLE
from tests.integration.referrals.year import END, PER_DAY, STEPS, Course, at, courses

REFERRALS, WORKERS, WEEK, SEED = 5_000, 3, 7 * PER_DAY, 20261128

Now: TypeAlias = "Synchronized[float]"


def moment(now: Now) -> datetime:
    return datetime.fromtimestamp(now.value, UTC)


def worker(url: str, now: Now) -> None:
    """A worker process: it ends when it is killed."""

    async def work() -> None:
        pool = await open_pool(url, size=2)
        engine = replace(engine_of(SERVICE, pool), clock=lambda: moment(now))
        await keep_clocks(engine, asyncio.Event(), look=0.02)

    asyncio.run(work())


class Crew:
    """The workers, of whom one can be killed at any time."""

    def __init__(self, url: str, now: Now) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._arguments = (url, now)
        self._at_work = [self._hire() for _ in range(WORKERS)]
        self.killed = 0

    def _hire(self) -> BaseProcess:
        process = self._context.Process(target=worker, args=self._arguments, daemon=True)
        process.start()
        return process

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL, whatever it is doing; another takes its place."""
        number = chance.randrange(WORKERS)
        self._at_work[number].kill()
        self._at_work[number].join()
        self._at_work[number] = self._hire()
        self.killed += 1

    def dismiss(self) -> None:
        for process in self._at_work:
            process.kill()
            process.join()


@pytest.fixture
def now() -> Now:
    clock: Now = multiprocessing.get_context("forkserver").Value("d", at(0).timestamp())
    return clock


@pytest.fixture
def crew(engine: Engine, database_url: str, now: Now) -> Iterator[Crew]:
    """Started after the migrations, ended whatever happens."""
    found = Crew(database_url, now)
    yield found
    found.dismiss()


async def act(engine: Engine, step: int, due: list[tuple[Course, str, str | None]]) -> None:
    """What people do at one step: ``(course, state, state before)``. Both sides act at once, each on referrals of
    their own."""
    engine = replace(engine, clock=lambda: at(step))
    asks = [before is None or state.endswith("5.2") for _, state, before in due]
    sides = (
        (REQUESTER, [each for each, asking in zip(due, asks, strict=True) if asking]),
        (OWNER, [each for each, asking in zip(due, asks, strict=True) if not asking]),
    )
    await asyncio.gather(*(act_as(caller, engine, step, own) for caller, own in sides))


async def act_as(caller: Caller, engine: Engine, step: int, due: list[tuple[Course, str, str | None]]) -> None:
    """What one side does, in one transaction."""
    if not due:
        return
    async with unit_of_work(engine, caller) as work:
        ids = [course.id for course, _, before in due if before is not None]
        await work.lock_all([("ServiceRequest", f"o-{id}") for id in ids] + [("Task", id) for id in ids])
        for course, state, before in due:
            focus = f"o-{course.id}"
            if state == "in-progress 5.1.1":
                # the same state again without anything new would be no other appointment
                course.visit = at(step)
            visit = course.visit and {"type": {"text": "visit"}, "valueDateTime": instant(course.visit)}
            resource = task(
                *state.split(),
                id=course.id,
                focus=reference(f"ServiceRequest/{focus}"),
                priority=course.priority,
                output=[visit] if visit else None,
            )
            if before is None:
                await work.update(order(id=focus, code=concept("http://snomed.info/sct", course.code)))
            await work.update(resource)
        await work.commit()


async def told(engine: Engine) -> list[dict[str, Any]]:
    rows = await engine.pool.fetch("SELECT type, envelope FROM outbox WHERE type LIKE 'referral-clock.%' ORDER BY seq")
    return [{"stage": row["type"].split(".")[1]} | json.loads(row["envelope"])["data"] for row in rows]


@pytest.mark.timeout(420)
async def test_every_clock_of_a_year_fires_once_whoever_is_killed(engine: Engine, crew: Crew, now: Now) -> None:
    began, chance, year = time.monotonic(), random.Random(SEED), courses(REFERRALS, SEED)
    async with unit_of_work(engine, BACK_END) as work:
        for resource in PEOPLE:
            await work.update(resource)
        await work.commit()
    due: dict[int, list[tuple[Course, str, str | None]]] = {}
    for course in year:
        for number, (step, state) in enumerate(course.states):
            due.setdefault(step, []).append((course, state, course.states[number - 1][1] if number else None))

    async def nothing_is_due() -> bool:
        return not await engine.pool.fetchval("SELECT EXISTS (SELECT FROM referral WHERE next_at <= $1)", moment(now))

    for step in range(END):
        if step in due:
            await act(engine, step, due[step])
        # somebody acts before the clocks are looked at
        now.value = at(step).timestamp()
        if step % WEEK == WEEK - 1 and step < STEPS:
            crew.kill_one(chance)
        await eventually(nothing_is_due, every=0.003)

    found = await told(engine)
    steps = {at(step): step for step in range(END)}
    got = Counter(
        (
            each["task"],
            steps[datetime.fromisoformat(each["waits_since"])],
            steps[datetime.fromisoformat(each["occurred_at"])],
            each["stage"],
        )
        for each in found
    )
    assert set(got.values()) == {1}, "a stage was told more than once"
    wanted = {(f"Task/{course.id}", *each) for course in year for each in course.told()}
    assert set(got) == wanted
    for each in found:
        behind = datetime.fromisoformat(each["occurred_at"]) - datetime.fromisoformat(each["planned_at"])
        assert each["late"] is (behind > LATE)
    assert not await engine.pool.fetchval("SELECT count(*) FROM referral WHERE next_at IS NOT NULL"), "stuck"
    put_down = await engine.pool.fetchval("SELECT count(*) FROM referral_moment WHERE who = 'consilium:referrals'")
    assert put_down == len(found)
    print(
        f"\n{REFERRALS} referrals, {sum(len(course.states) for course in year)} changes, {len(found)} stages told"
        f" ({dict(Counter(each['stage'] for each in found))}), {sum(each['late'] for each in found)} late,"
        f" {crew.killed} workers killed, in {time.monotonic() - began:.0f} s"
    )
