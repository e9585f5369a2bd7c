"""Several people at once do what they may and what they may not: nothing illegal, nothing lost, no end left.

Run it with ``-s`` to see the figures.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from services.referrals.main import SERVICE
from shared.engine import Engine
from shared.ids import uuid7
from shared.security.caller import Caller
from tests.factories.engine import FixedVerifier, client_of
from tests.factories.referrals import BACK_END, appointment
from tests.integration.referrals.asking import furnish, put
from tests.integration.referrals.crowd import CROWD, Answered, Move, World
from tests.integration.referrals.invariants import (
    ENDED,
    History,
    Resource,
    check_agreement,
    check_answers,
    check_history,
    check_projection,
    read,
)
from tests.integration.referrals.ways.table import STATES

LIVELY = [state for state in STATES if state[0] not in (*ENDED, "draft")]
EXAMPLES = 40
KINDS = (*5 * ["offered"], "any", "put", "put", "patch", "order")
MATCHES = (*8 * ["seen"], "none", "stale")
moves = st.builds(
    Move,
    actor=st.sampled_from([0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6]),
    task=st.integers(0, 11),
    kind=st.sampled_from(KINDS),
    pick=st.integers(0, 10_000),
    match=st.sampled_from(MATCHES),
)
rounds = st.lists(st.lists(moves, min_size=3, max_size=6), min_size=6, max_size=10)
begun = st.lists(st.sampled_from(LIVELY), min_size=3, max_size=3)

Figures = Counter[str]


@pytest.fixture
async def crowd(engine: Engine) -> AsyncIterator[dict[Caller, httpx.AsyncClient]]:
    """A client for each of them, on one service."""
    async with AsyncExitStack() as stack:
        verifiers = {caller: FixedVerifier(caller) for caller in CROWD}
        clients = {
            caller: await stack.enter_async_context(client_of(engine, SERVICE, verifier))
            for caller, verifier in verifiers.items()
        }
        await furnish(clients[BACK_END], verifiers[BACK_END])
        assert (await put(clients[BACK_END], appointment("a1"))).status_code == 201
        yield clients


@pytest.fixture
def figures() -> Iterator[Figures]:
    """What was done, told at the end."""
    began, found = time.monotonic(), Counter[str]()
    yield found
    print(f"\n{dict(found)} in {time.monotonic() - began:.0f} s")


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    # what depends on who comes first is not made smaller by trying again
    phases=[Phase.generate],
    # every example has referrals of its own
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(states=begun, rounds=rounds)
async def test_whoever_does_what_at_the_same_moment_nothing_illegal_comes_of_it(
    engine: Engine,
    crowd: dict[Caller, httpx.AsyncClient],
    figures: Figures,
    states: list[tuple[str, str]],
    rounds: list[list[Move]],
) -> None:
    world = World(uuid7()[-12:], crowd)
    await world.begin(states)
    histories = await read(engine, world)
    answers: list[Answered] = []
    for moves in rounds:
        before = newest(histories)
        taken = await asyncio.gather(*(world.take(move) for move in moves))
        answers += [each for each in taken if each is not None]
        histories = await read(engine, world)
        made = check_answers(histories, answers)
        moments = {
            version.at for key, history in histories.items() for version in history if (key, version.number) in made
        }
        for key, history in histories.items():
            check_history(key, history, made, moments)
        check_agreement(world, newest(histories), before)
        for id in world.tasks:
            await check_projection(engine, id, histories[f"Task/{id}"], made)
        figures["rounds"] += 1
    figures["referrals"] += len(world.tasks)
    figures["versions"] += sum(map(len, histories.values()))
    figures["ended"] += sum(body["status"] in ENDED for key, body in newest(histories).items() if key[0] == "T")
    figures.update(str(each.status) for each in answers)


def newest(histories: dict[str, History]) -> dict[str, Resource]:
    return {key: history[-1].body for key, history in histories.items()}
