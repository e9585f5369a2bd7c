"""Every step that an action names, and every action where it names none: over REST and as an operation of FHIR."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.factories.referrals import BACK_END, appointment
from tests.integration.referrals.asking import API, put
from tests.integration.referrals.test_actions_over_fhir import asking
from tests.integration.referrals.ways.steps import ACTIONS, Step, steps, targets
from tests.integration.referrals.ways.table import ROWS, STATES, State, named
from tests.integration.referrals.ways.trying import CALLERS, SEEN, Place, check_accepted, seed, standing

Way = Callable[[httpx.AsyncClient, str, Step], Awaitable[int]]
HEADERS = {"If-Match": SEEN}


async def over_rest(client: httpx.AsyncClient, id: str, step: Step) -> int:
    address = f"{API}/{id}/actions/{step.action}"
    return (await client.post(address, json=step.inputs, headers=HEADERS)).status_code


async def as_an_operation(client: httpx.AsyncClient, id: str, step: Step) -> int:
    body = asking(step.action, **step.inputs)
    for parameter in body["parameter"]:
        if parameter["name"] == "state":
            parameter["valueCode"] = parameter.pop("valueString")
    return (await client.post(f"Task/{id}/$perform-action", json=body, headers=HEADERS)).status_code


@pytest.fixture(scope="session")
async def visit(place: Place) -> None:
    """The appointment that inputs name."""
    answer = await put(place.by(BACK_END), appointment("a1"))
    assert answer.status_code == 201, answer.text


@pytest.mark.usefixtures("visit")
@pytest.mark.parametrize("source", STATES, ids=named)
@pytest.mark.parametrize("way", [over_rest, as_an_operation])
async def test_an_action_takes_the_rows_of_its_side_and_no_others(place: Place, source: State, way: Way) -> None:
    tried = [step for caller in CALLERS for step in steps(caller, source)]
    mark = f"{way.__name__.replace('_', '-')}-{STATES.index(source)}"
    fresh = {f"{mark}-{number}": step for number, step in enumerate(step for step in tried if step.status == 200)}
    await seed(place, (mark, *fresh), source)
    before = await standing(place.fetch, mark)
    refused = [(mark, step) for step in tried if step.status != 200]
    answered = [(step, await way(place.by(step.caller), id, step)) for id, step in (*refused, *fresh.items())]
    wrong = [f"{step}: {status} instead of {step.status}" for step, status in answered if status != step.status]
    assert not wrong, "\n".join(wrong)
    assert await standing(place.fetch, mark) == before, "a refused action left something behind"
    await check_accepted(place.fetch, {id: step.attempt for id, step in fresh.items()})
    for id, step in fresh.items():
        happened = (await standing(place.fetch, id))["moments"][-1][3]
        assert happened == ACTIONS[step.action][1], step


def test_every_row_is_a_step_of_one_action() -> None:
    for row in ROWS:
        naming = [action for action in ACTIONS if row.target in targets(action, row.source)]
        of_its_side = [each for each in naming if ACTIONS[each][:2] == (row.actor, row.event)]
        assert len(of_its_side) == 1, row
