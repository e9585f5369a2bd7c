"""``/api/referrals/filters``: a list and what is looked for on it, under a name; and worklists by that name."""

import asyncio
import csv
import io
from typing import Any

import httpx
import pytest

from services.referrals.api.wanted import Search
from services.referrals.app.filters import MOST_FILTERS, MOST_SHARED
from services.referrals.main import SERVICE
from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.contract.test_openapi import document
from tests.factories.engine import FixedVerifier, client_of
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    concept,
    order,
    reference,
)
from tests.integration.referrals.asking import API, furnish, put, send

URL = f"{API}/filters"
OTHER = Caller("other", Role.COORDINATOR, None, "Practitioner/far", "Organization/elsewhere")
MIND = {"discipline": "mental-health", "list": "all"}


@pytest.fixture(autouse=True)
def coordinator(verifier: FixedVerifier) -> None:
    verifier.caller = COORDINATOR


async def save(client: httpx.AsyncClient, name: str = "mind", version: int | None = None, **wanted: Any) -> Any:
    headers = {} if version is None else {"If-Match": f'W/"{version}"'}
    return await client.put(f"{URL}/{name}", json=wanted, headers=headers)


async def on_list(client: httpx.AsyncClient, **query: object) -> list[str]:
    answer = await client.get(API, params=query)
    assert answer.status_code == 200, answer.text
    return [line["task"].removeprefix("Task/") for line in answer.json()["referrals"]]


async def test_a_filter_is_made_changed_and_deleted(client: httpx.AsyncClient) -> None:
    answer = await save(client, **MIND)
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"'), answer.text
    read = await client.get(f"{URL}/mind")
    assert (read.json(), read.headers["etag"]) == (answer.json(), 'W/"1"')
    told = {name: value for name, value in read.json().items() if name != "changed_at"}
    nothing: dict[str, Any] = {"status": [], "business_status": []}
    assert told == MIND | nothing | {"name": "mind", "version": 1, "mine": True, "shared": False}
    changed = await save(client, version=1, status=["requested", "received"])
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    assert (changed.json()["status"], "discipline" in changed.json()) == (["requested", "received"], False)
    assert [each["name"] for each in (await client.get(URL)).json()] == ["mind"]
    gone = await client.delete(f"{URL}/mind", headers={"If-Match": 'W/"2"'})
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.get(f"{URL}/mind")).status_code == (await client.delete(f"{URL}/mind")).status_code == 404


async def test_a_change_names_the_version_that_was_seen(client: httpx.AsyncClient) -> None:
    assert (await save(client, version=1, **MIND)).status_code == 412
    await save(client, **MIND)
    assert (await save(client, list="mine")).status_code == 428
    assert (await save(client, version=2, list="mine")).status_code == 412
    for malformed in ("1", '"x"', "*"):
        headers = {"If-Match": malformed}
        assert (await client.put(f"{URL}/mind", json={"list": "mine"}, headers=headers)).status_code == 400
        assert (await client.delete(f"{URL}/mind", headers=headers)).status_code == 400
    assert (await client.delete(f"{URL}/mind", headers={"If-Match": 'W/"2"'})).status_code == 412
    assert (await client.get(f"{URL}/mind")).json()["list"] == "all"


async def test_the_same_again_changes_nothing(client: httpx.AsyncClient) -> None:
    first = await save(client, **MIND)
    again = await save(client, **MIND)
    assert (again.status_code, again.json()) == (200, first.json())
    await save(client, version=1, list="mine")
    lost = await save(client, version=1, list="mine")
    assert (lost.status_code, lost.headers["etag"]) == (200, 'W/"2"'), "its first answer was lost"


async def test_of_several_who_change_it_at_once_one_does(client: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(save(client, patient=f"p{number}") for number in range(12)))
    assert sorted(answer.status_code for answer in made) == [201, *11 * [428]]
    changed = await asyncio.gather(*(save(client, version=1, owner=f"Practitioner/{n}") for n in range(12)))
    assert sorted(answer.status_code for answer in changed) == [200, *11 * [412]]


async def test_a_worklist_goes_by_a_filter_and_what_is_said_goes_before_it(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await furnish(client, verifier)
    await put(client, order(id="o2", code=concept("http://snomed.info/sct", "308447003")))
    await send(client, verifier, id="mind-0")
    await send(client, verifier, id="mind-1", priority="urgent")
    await send(client, verifier, id="body-0", focus=reference("ServiceRequest/o2"))
    verifier.caller = OWNER
    await client.post(f"{API}/mind-0/actions/decline", json={"reason": "x"}, headers={"If-Match": 'W/"1"'})
    verifier.caller = COORDINATOR
    await save(client, **MIND)
    await save(client, "pressing", priority="urgent", patient="p1", status=["received", "requested"])
    assert await on_list(client, filter="mind") == ["mind-1", "mind-0"]
    assert await on_list(client, filter="mind", limit=1) == ["mind-1"]
    assert await on_list(client, filter="mind", list="open") == ["mind-1"]
    assert await on_list(client, filter="mind", discipline="physical-therapy") == ["body-0"]
    assert await on_list(client, filter="mind", status="rejected") == ["mind-0"]
    assert await on_list(client, filter="pressing") == ["mind-1"]
    assert await on_list(client, filter="pressing", patient="p2") == []
    assert (await client.get(f"{API}/counts", params={"filter": "mind"})).json()["open"] == 1
    exported = await client.get(f"{API}/export", params={"filter": "mind"})
    assert [line["task"] for line in csv.DictReader(io.StringIO(exported.text))] == ["Task/mind-1", "Task/mind-0"]
    answer = await client.get(API, params={"filter": "absent"})
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (404, ["query.filter"])


async def test_pages_of_a_filter_go_on_behind_each_other(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)
    for number in range(3):
        await send(client, verifier, id=f"t{number}")
    verifier.caller = COORDINATOR
    await save(client, list="awaiting-triage")
    first = (await client.get(API, params={"filter": "mind", "limit": 2})).json()
    assert await on_list(client, filter="mind", limit=2, cursor=first["cursor"]) == ["t2"]


async def test_coordinators_share_filters_with_each_other(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await save(client, "private", list="mine")
    await save(client, "team", shared=True, **MIND)
    verifier.caller = OTHER
    await save(client, "a-own", list="open")
    assert [(each["name"], each["mine"]) for each in (await client.get(URL)).json()] == [
        ("a-own", True),
        ("team", False),
    ]
    assert (await client.get(f"{URL}/team")).json()["discipline"] == "mental-health"
    assert await on_list(client, filter="team") == []
    assert (await client.get(f"{URL}/private")).status_code == 404
    assert (await client.get(API, params={"filter": "private"})).status_code == 404
    assert (await client.delete(f"{URL}/team")).status_code == 404, "it is another's"
    taken = await save(client, "team", shared=True, list="open")
    assert (taken.status_code, taken.json()["issues"][0]["expression"]) == (409, ["body.shared"])
    assert (await save(client, "team", list="silent")).status_code == 201
    assert (await client.get(f"{URL}/team")).json()["list"] == "silent", "one's own goes before it"
    for caller in (OWNER, REQUESTER, BACK_END):
        verifier.caller = caller
        assert (await client.get(URL)).json() == []
        assert (await client.get(f"{URL}/team")).status_code == 404
    verifier.caller = COORDINATOR
    assert (await save(client, "team", version=1, **MIND)).json()["shared"] is False
    verifier.caller = OTHER
    assert [each["name"] for each in (await client.get(URL)).json()] == ["a-own", "team"]


async def test_of_two_who_share_a_name_at_once_one_does(client: httpx.AsyncClient, engine: Engine) -> None:
    async def by(number: int) -> int:
        verifier = FixedVerifier(Caller(f"c{number}", Role.COORDINATOR))
        async with client_of(engine, SERVICE, verifier) as own:
            answer: httpx.Response = await save(own, "team", shared=True)
            return answer.status_code

    assert sorted(await asyncio.gather(*(by(number) for number in range(8)))) == [201, *7 * [409]]


async def test_clinicians_have_filters_of_their_own_and_share_none(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = OWNER
    assert (await save(client, list="mine")).status_code == 201
    answer = await save(client, "team", list="mine", shared=True)
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (403, ["body.shared"])


async def test_patients_have_none(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await save(client, "team", shared=True)
    verifier.caller = PATIENT
    for answer in (
        await client.get(URL),
        await client.get(f"{URL}/team"),
        await save(client, list="open"),
        await client.delete(f"{URL}/team"),
        await client.get(API, params={"filter": "team"}),
        await client.get(f"{API}/counts", params={"filter": "team"}),
    ):
        assert answer.status_code == 403


async def test_a_caller_has_a_hundred(client: httpx.AsyncClient, engine: Engine, verifier: FixedVerifier) -> None:
    await filled(engine, COORDINATOR.subject, MOST_FILTERS - 1, shared=False)
    answers = await asyncio.gather(*(save(client, f"new-{number}") for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *5 * [409]]
    assert (await save(client, "f1", version=1, list="open")).status_code == 200, "a change makes no more of them"
    verifier.caller = OTHER
    assert (await save(client)).status_code == 201


async def test_so_many_are_shared(client: httpx.AsyncClient, engine: Engine) -> None:
    await filled(engine, "somebody", MOST_SHARED - 1, shared=True)
    assert (await save(client, "last", shared=True)).status_code == 201
    answer = await save(client, "one-more", shared=True)
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (409, ["body.shared"])
    assert (await save(client, "last", version=1, shared=True, list="open")).status_code == 200


async def filled(engine: Engine, owner: str, many: int, *, shared: bool) -> None:
    await engine.pool.execute(
        "INSERT INTO saved_filter (owner, name, shared, version, wanted, changed_at)"
        " SELECT $1, 'f' || n, $3, 1, '{}', now() FROM generate_series(1, $2) AS n",
        owner,
        many,
        shared,
    )


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"list": "bogus"}, "body.list"),
        ({"status": ["bogus"]}, "body.status.0"),
        ({"status": {"x": 1}}, "body.status"),
        ({"status": 13 * ["requested"]}, "body.status"),
        ({"business_status": ["9.9"]}, "body.business_status.0"),
        ({"discipline": "bogus"}, "body.discipline"),
        ({"priority": "bogus"}, "body.priority"),
        ({"patient": "Practitioner/bogus"}, "body.patient"),
        ({"requester": "Bogus/x"}, "body.requester"),
        ({"owner": "Bogus/x"}, "body.owner"),
        ({"shared": "bogus"}, "body.shared"),
        ({"bogus": 1}, "body"),
        ([], "body"),
    ],
)
async def test_a_filter_is_judged_as_the_query_is(client: httpx.AsyncClient, body: Any, where: str) -> None:
    answer = await client.put(f"{URL}/mind", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["issues"][0]["expression"] == [where]
    assert "bogus" not in answer.text.lower()
    assert (await client.get(URL)).json() == []


@pytest.mark.parametrize("name", ["Mind", "-x", "a_b", "a%20b", "%C3%A9", 65 * "a", "a%00"])
async def test_a_name_is_of_small_letters_digits_and_hyphens(client: httpx.AsyncClient, name: str) -> None:
    for answer in (await client.put(f"{URL}/{name}", json={}), await client.get(f"{API}?filter={name}")):
        assert answer.status_code == 422, answer.text
        assert answer.json()["issues"][0]["expression"] in (["path.name"], ["query.filter"])


def test_a_filter_keeps_whatever_the_query_takes() -> None:
    asked = {each["name"] for each in document(SERVICE)["paths"]["/api/referrals"]["get"]["parameters"]}
    assert asked - {"filter", "limit", "cursor"} == set(Search.model_fields)
