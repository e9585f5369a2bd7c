"""Orders that cannot be sent as they are: the others go on, the worker too, and what is told is told once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx
import pytest

from services.careplans.app.ordering import send_due
from services.careplans.domain.applying.extensions import extensions
from services.careplans.domain.codes import ACTIVITY_STATUS, extension_value
from services.careplans.domain.proposals.codes import REFUSED
from services.careplans.worker import fill_at_start, follow_waits, nag, send_orders
from shared.engine import Engine
from shared.fhir.json import Resource
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.proposing import (
    COORDINATOR,
    decide,
    decision,
    in_pain,
    patient_with,
    propose,
    read,
)

AT_ONCE = (timedelta(0),)
CHOSEN = ("cbt-individual", "graded-exercise")


@dataclass
class Referrals:
    """The referrals' service: it answers each order with the next of ``answers``, then with 200."""

    answers: list[int] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    before: Callable[[], Awaitable[None]] | None = None
    tells: bytes = b"{}"

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        return self.tells

    async def submit(self, owner: str, bundle: Resource) -> int:
        if self.before is not None:
            before, self.before = self.before, None
            await before()
        if self.answers:
            return self.answers.pop(0)
        self.made.append(bundle["entry"][1]["resource"]["id"])
        return 200


@pytest.fixture
async def ordered(engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier) -> tuple[str, list[str]]:
    """A plan, and the proposals of ``CHOSEN`` for it that were accepted."""
    verifier.caller = COORDINATOR
    _, plan = await patient_with(engine, *in_pain())
    groups: list[str] = []
    for treatment in CHOSEN:
        group = (await propose(client, plan, f"ActivityDefinition/{treatment}")).json()
        answer = await decide(client, group, decision(treatment))
        assert answer.status_code == 200, answer.text
        groups.append(f"RequestGroup/{group['id']}")
    return plan, groups


async def states(engine: Engine) -> list[str]:
    return [row["state"] for row in await engine.pool.fetch("SELECT state FROM referral_order ORDER BY action")]


async def send_all(engine: Engine, referrals: Referrals, times: int = 20) -> None:
    for _ in range(times):
        await send_due(replace(engine, peers=referrals), delays=AT_ONCE)


async def test_an_order_that_cannot_be_read_holds_up_no_other(engine: Engine, ordered: tuple[str, list[str]]) -> None:
    await engine.pool.execute(
        "UPDATE referral_order SET action = 'gone', next_at = now() - interval '1 day' WHERE action = $1", CHOSEN[0]
    )
    referrals, stop = Referrals(), asyncio.Event()
    working = asyncio.create_task(send_orders(replace(engine, peers=referrals), stop, look=0.05))

    async def sent() -> bool:
        return "made" in await states(engine)

    await eventually(sent)
    assert not working.done()
    assert sorted(await states(engine)) == ["made", "waiting"]
    stop.set()
    await working


async def test_a_conflict_of_the_moment_is_no_refusal(engine: Engine, ordered: tuple[str, list[str]]) -> None:
    referrals = Referrals(answers=[409, 409, 409])
    await send_all(engine, referrals)
    assert await states(engine) == ["made", "made"]
    assert len(referrals.made) == 2


async def test_a_conflict_that_stays_is_a_refusal(
    engine: Engine, client: httpx.AsyncClient, ordered: tuple[str, list[str]]
) -> None:
    plan, groups = ordered
    await send_all(engine, Referrals(answers=[409] * 100), times=30)
    assert await states(engine) == ["refused", "refused"]
    for group in groups:
        assert len(extensions(await read(client, group), REFUSED)) == 1
    followed = (await read(client, plan))["activity"]
    assert {extension_value(each, ACTIVITY_STATUS) for each in followed} == {"stopped"}


@pytest.mark.parametrize(("slow", "then", "state"), [(422, 200, "made"), (422, 422, "refused"), (200, 422, "refused")])
async def test_two_attempts_at_one_order_end_it_once(
    engine: Engine, client: httpx.AsyncClient, ordered: tuple[str, list[str]], slow: int, then: int, state: str
) -> None:
    """The lease of the first runs out while the referrals' service takes its time."""
    _, groups = ordered
    await engine.pool.execute("UPDATE referral_order SET next_at = NULL, state = 'made' WHERE action = $1", CHOSEN[1])
    later = replace(engine, clock=lambda: engine.clock() + timedelta(minutes=5))

    async def other_worker() -> None:
        await send_due(replace(later, peers=Referrals(answers=[then])), delays=AT_ONCE)

    await send_due(replace(engine, peers=Referrals(answers=[slow], before=other_worker)), delays=AT_ONCE)
    assert await states(engine) == [state, "made"]
    told = extensions(await read(client, groups[0]), REFUSED)
    assert len(told) == (state == "refused")


@pytest.mark.parametrize("tells", [b"{}", b"[]", b"<", b'{"parameter": [{"name": "wait"}]}', b'{"parameter": 3}'])
async def test_waits_that_cannot_be_read_end_no_worker(engine: Engine, tells: bytes) -> None:
    stop = asyncio.Event()
    working = asyncio.create_task(follow_waits(replace(engine, peers=Referrals(tells=tells)), stop, again=0.01))
    done, _ = await asyncio.wait({working}, timeout=0.2)
    assert not done
    stop.set()
    await working


@pytest.mark.parametrize("job", [nag, fill_at_start])
async def test_a_record_that_breaks_a_job_ends_no_worker(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, job: Callable[..., Awaitable[None]]
) -> None:
    stop, tries = asyncio.Event(), 0

    async def broken(engine: Engine) -> int:
        nonlocal tries
        tries += 1
        if tries > 2:
            stop.set()
            return 0
        raise KeyError("subject")

    for name in ("tell_due", "fill"):
        monkeypatch.setattr(f"services.careplans.worker.{name}", broken)
    await job(engine, stop, **{"look" if job is nag else "again": 0.01})
    assert tries == 3
