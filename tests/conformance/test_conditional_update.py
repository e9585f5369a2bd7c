"""Conditional update (http://hl7.org/fhir/R4/http.html#cond-update): none, one, many; and under concurrency."""

import asyncio

import httpx
import pytest

from tests.factories.resources import patient

WANTED = "Patient?identifier=urn:oid:1.2.3|p-1"


async def _total(fhir: httpx.AsyncClient, type_: str = "Patient") -> int:
    total: int = (await fhir.get(f"{type_}?_total=accurate&_count=0")).json()["total"]
    return total


async def test_none_creates_one_updates_many_is_412(fhir: httpx.AsyncClient) -> None:
    """No match and no id: create. One match: update. Several: 412."""
    first = await fhir.put(WANTED, json=patient())
    assert (first.status_code, first.headers["etag"]) == (201, 'W/"1"')
    again = await fhir.put(WANTED, json=patient(gender="male"))
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')
    assert again.json()["id"] == first.json()["id"]
    await fhir.post("Patient", json=patient())
    many = await fhir.put(WANTED, json=patient(gender="other"))
    assert many.status_code == 412
    assert many.json()["issue"][0]["code"] == "multiple-matches"
    assert await _total(fhir) == 2


async def test_none_creates_under_the_id_that_the_body_brings(fhir: httpx.AsyncClient) -> None:
    """No match, and an id: update as create."""
    answer = await fhir.put(WANTED, json=patient(id="robin"))
    assert (answer.status_code, answer.json()["id"]) == (201, "robin")
    assert answer.headers["location"].endswith("/Patient/robin/_history/1")


async def test_the_id_of_a_resource_that_does_not_match_is_refused(fhir: httpx.AsyncClient) -> None:
    """Else a wrong criterion would overwrite somebody (R5 says 409; R4 leaves it open)."""
    await fhir.put("Patient/robin", json=patient(id="robin", identifier=[{"value": "another"}]))
    assert (await fhir.put(WANTED, json=patient(id="robin"))).status_code == 409
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"1"'


async def test_a_deleted_id_is_free(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.delete("Patient/robin")
    answer = await fhir.put(WANTED, json=patient(id="robin"))
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"')


@pytest.mark.parametrize(("id_", "status"), [("robin", 200), ("wren", 400), ("not_legal", 400), (5, 400)])
async def test_the_bodys_id_must_be_that_of_the_match(fhir: httpx.AsyncClient, id_: object, status: int) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (await fhir.put(WANTED, json=patient(id=id_))).status_code == status
    assert await _total(fhir) == 1


@pytest.mark.parametrize("id_", ["not_legal", "a" * 65, 5, {}])
async def test_a_new_id_must_be_legal(fhir: httpx.AsyncClient, id_: object) -> None:
    assert (await fhir.put(WANTED, json=patient(id=id_))).status_code == 400
    assert await _total(fhir) == 0


@pytest.mark.parametrize("criteria", ["", "?", "?no-such-parameter=1", "?_count=1", "?_format=json", "?_sort=_id"])
async def test_criteria_that_select_nothing_in_particular_are_400(fhir: httpx.AsyncClient, criteria: str) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.put(f"Patient{criteria}", json=patient(gender="male"))
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"1"'


async def test_content_that_breaks_a_rule_is_422_and_nothing_is_stored(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.put(WANTED, json=patient(gender="bogus"))).status_code == 422
    assert await _total(fhir) == 0


@pytest.mark.parametrize(
    ("header", "tag", "status"),
    [
        ("if-match", 'W/"1"', 200),
        ("if-match", 'W/"7"', 412),
        ("if-match", "seven", 400),
        ("if-none-match", "*", 412),
        ("if-none-match", 'W/"7"', 200),
    ],
)
async def test_headers_guard_the_match(fhir: httpx.AsyncClient, header: str, tag: str, status: int) -> None:
    """http://hl7.org/fhir/R4/http.html#concurrency holds for what the criteria find, too."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (await fhir.put(WANTED, json=patient(), headers={header: tag})).status_code == status


async def test_if_match_without_a_match_is_412(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.put(WANTED, json=patient(), headers={"if-match": 'W/"1"'})).status_code == 412
    assert await _total(fhir) == 0


async def test_of_twenty_at_once_one_creates_and_all_others_update(fhir: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(fhir.put(WANTED, json=patient()) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert {answer.headers["etag"] for answer in answers} == {f'W/"{n}"' for n in range(1, 21)}
    assert await _total(fhir) == 1


async def test_conditional_creates_and_updates_at_once_make_one(fhir: httpx.AsyncClient) -> None:
    """All conditional writes of a type take turns, whichever they are."""
    criteria = {"if-none-exist": "identifier=urn:oid:1.2.3|p-1"}
    puts = [fhir.put(WANTED, json=patient()) for _ in range(10)]
    posts = [fhir.post("Patient", json=patient(), headers=criteria) for _ in range(10)]
    answers = await asyncio.gather(*(each for pair in zip(puts, posts, strict=True) for each in pair))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert await _total(fhir) == 1
