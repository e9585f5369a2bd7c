"""Five disciplines contribute to one plan at once, from old versions, and send things twice: no word is lost.

Run it with ``-s`` to see the figures.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from services.careplans.app import contributing
from services.careplans.app.turns import Turns
from services.careplans.main import SERVICE
from shared.engine import Engine
from tests.factories.engine import FixedVerifier, client_of
from tests.integration.careplans.contributing import DISCIPLINES, activity, member, new_plan
from tests.integration.careplans.contributors import Clients, Crowd, Move, check_book, versions_of

EDITS = ("add", "note", "text", "text", "text", "progress", "remove", "description")
KINDS = (*6 * ["contribute"], "put", *3 * ["again"], "event")
moves = st.builds(
    Move,
    actor=st.integers(0, len(DISCIPLINES) - 1),
    kind=st.sampled_from(KINDS),
    edits=st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 9)), min_size=1, max_size=3).map(tuple),
    times=st.sampled_from([1, 1, 1, 2, 3]),
    looks=st.booleans(),
    pick=st.integers(0, 10_000),
)
rounds = st.lists(st.lists(moves, min_size=2, max_size=8), min_size=2, max_size=6)

Figures = Counter[str]


@pytest.fixture
async def clients(engine: Engine) -> AsyncIterator[Clients]:
    """A client for each discipline, on one service."""
    async with AsyncExitStack() as stack:
        yield {
            each: await stack.enter_async_context(client_of(engine, SERVICE, FixedVerifier(member(each))))
            for each in DISCIPLINES
        }


class Apart:
    """As in processes of their own: nobody waits for a turn, all meet in the database."""

    def of(self, key: str) -> asyncio.Lock:
        return asyncio.Lock()


@pytest.fixture(params=[Turns, Apart])
def turns(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How those line up who contribute to one plan."""
    monkeypatch.setattr(contributing, "_TURNS", request.param())


@pytest.fixture
def figures() -> Iterator[Figures]:
    """What was done, told at the end."""
    found = Counter[str]()
    yield found
    print(f"\n{dict(found)}")


@pytest.mark.usefixtures("turns")
@settings(
    max_examples=40,
    derandomize=True,
    # what depends on who comes first is not made smaller by trying again
    phases=[Phase.generate],
    # every example has a plan of its own
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rounds=rounds)
async def test_every_acknowledged_contribution_is_in_the_plan_once_and_every_other_in_a_conflict(
    engine: Engine, clients: Clients, figures: Figures, rounds: list[list[Move]]
) -> None:
    plan = await new_plan(engine, *(activity(f"of-{each}", each, each) for each in DISCIPLINES))
    crowd = Crowd(engine, clients, plan)
    for moves in rounds:
        await asyncio.gather(*(crowd.take(move) for move in moves))
    figures.update(check_book(crowd.sent, await versions_of(engine, plan["id"]), 2))


@pytest.mark.usefixtures("turns")
async def test_two_hundred_at_once_are_all_in_the_plan(engine: Engine, clients: Clients) -> None:
    plan = await new_plan(engine, *(activity(f"of-{each}", each, each) for each in DISCIPLINES))
    crowd = Crowd(engine, clients, plan)
    whats = ("add", "note", "progress", "add")
    every = [Move(n % 5, "contribute", ((whats[n % 4], n),), 1 + n % 2, False, 0) for n in range(200)]
    await asyncio.gather(*(crowd.take(move) for move in every))
    counted = check_book(crowd.sent, await versions_of(engine, plan["id"]), 2)
    assert counted == {"sent": 200, "accepted": 200, "refused": 0, "answers": 300, "versions": 200}
