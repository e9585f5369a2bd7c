"""Answers and their scores: one transaction, under one id, whoever gives them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from services.careplans.content.questionnaires import questionnaires
from services.careplans.domain.measures.derive import observation_id
from services.careplans.domain.measures.observation import PROFILE
from shared.clock import instant
from shared.contracts.careplans import SafetyEvent
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, told
from tests.unit.services.careplans.domain.measures.answering import ours, response


@asynccontextmanager
async def logged(engine: Engine) -> AsyncIterator[list[str]]:
    """What is asked of the database meanwhile."""
    statements: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        if "typeinfo" not in record.query and "set_config" not in record.query:  # asyncpg's own, once per connection
            statements.append(record.query)

    held = [await engine.pool.acquire() for _ in range(engine.pool.get_size())]
    for connection in held:
        connection.add_query_logger(note)
    for connection in held:
        await engine.pool.release(connection)
    yield statements


async def score(client: httpx.AsyncClient, id_: str, measure: str) -> httpx.Response:
    return await client.get(f"Observation/{observation_id(id_, measure)}")


async def value(client: httpx.AsyncClient, id_: str, measure: str) -> tuple[str, Any]:
    """Status and value of the score."""
    found = (await score(client, id_, measure)).json()
    return found["status"], found.get("valueQuantity", {}).get("value")


async def answers(engine: Engine, measure: str, given: list[Any], **more: Any) -> Resource:
    return ours(measure, given, **more) | {"subject": {"reference": await new_patient(engine)}}


async def test_answers_that_are_posted_have_their_score(engine: Engine, client: httpx.AsyncClient) -> None:
    made = await client.post("QuestionnaireResponse", json=await answers(engine, "peg", [8, 7, 5]))
    assert made.status_code == 201, made.text
    id_ = made.json()["id"]
    found = (await score(client, id_, "peg")).json()
    assert found["valueQuantity"]["value"] == 6.67
    assert found["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{id_}"}]
    assert found["meta"]["versionId"] == "1"
    assert found["meta"]["lastUpdated"] == made.json()["meta"]["lastUpdated"]
    patient = made.json()["subject"]["reference"]
    searched = await client.get("Observation", params={"patient": patient, "code": "http://loinc.org|91147-9"})
    assert [entry["resource"]["id"] for entry in searched.json()["entry"]] == [found["id"]]


async def test_a_score_conforms_to_us_core(engine: Engine, client: httpx.AsyncClient) -> None:
    made = await client.post("QuestionnaireResponse", json=await answers(engine, "phq-9", [None, *[1] * 8]))
    found = (await score(client, made.json()["id"], "phq-9")).json()
    outcome = await client.post("Observation/$validate", params={"profile": PROFILE}, json=found)
    found_in = [(issue["severity"], issue["expression"]) for issue in outcome.json()["issue"]]
    # R4's interpretations have no severity bands; the binding is extensible
    assert found_in == [("warning", ["Observation.interpretation[0]"])], outcome.text


async def test_the_questionnaires_can_be_stored_under_their_ids(client: httpx.AsyncClient) -> None:
    for each in questionnaires():
        assert (await client.put(f"Questionnaire/{each['id']}", json=each)).status_code == 201


async def test_a_new_response_takes_one_statement_and_its_scores_a_transaction(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    """Begin, write, the patient's lock, the plans, the scores, commit; and answers about self-harm."""
    scored, plain = await answers(engine, "phq-9", [1] * 9), await answers(engine, "peg", [5, 5, 5])
    pain = await answers(engine, "peg", [5, 5, 5])
    del plain["item"], plain["questionnaire"]
    for each, most in ((plain, 1), (pain, 6), (scored, 7)):
        async with logged(engine) as statements:
            assert (await client.post("QuestionnaireResponse", json=each)).status_code == 201
        assert len(statements) == most, statements


async def test_the_same_answers_again_change_nothing(engine: Engine, client: httpx.AsyncClient) -> None:
    given = await answers(engine, "phq-9", [1] * 9, authored=instant(engine.clock())) | {"id": "r"}
    for expected in (201, 200, 200):
        assert (await client.put("QuestionnaireResponse/r", json=given)).status_code == expected
    assert (await score(client, "r", "phq-9")).json()["meta"]["versionId"] == "1"
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'Observation'") == 1
    events = [event for event in await told(engine) if event.type.startswith("safety.")]
    assert [(event.type, event.subject) for event in events] == [
        (SafetyEvent.SELF_HARM_ITEM_POSITIVE, "QuestionnaireResponse/r")
    ]


async def test_a_score_follows_its_answers_to_the_end(engine: Engine, client: httpx.AsyncClient) -> None:
    given = await answers(engine, "phq-9", [1] * 8 + [0], status="in-progress") | {"id": "r"}

    async def put(**more: Any) -> None:
        answer = await client.put("QuestionnaireResponse/r", json=given | more)
        assert answer.status_code in (200, 201), answer.text

    await put()
    assert (await score(client, "r", "phq-9")).status_code == 404
    await put(status="completed")
    assert await value(client, "r", "phq-9") == ("final", 8)
    await put(status="amended", item=ours("phq-9", [2] * 8 + [0])["item"])
    assert await value(client, "r", "phq-9") == ("amended", 16)
    await put(status="amended", item=ours("phq-9", [2] * 5 + [None] * 3 + [0])["item"])
    assert await value(client, "r", "phq-9") == ("amended", None)
    await put(status="entered-in-error")
    assert await value(client, "r", "phq-9") == ("entered-in-error", None)
    await put(status="completed", item=ours("phq-9", [3] * 8 + [0])["item"])
    assert await value(client, "r", "phq-9") == ("amended", 24)
    assert [event for event in await told(engine) if event.type.startswith("safety.")] == []


async def test_a_response_can_be_deleted_and_given_again(engine: Engine, client: httpx.AsyncClient) -> None:
    given = await answers(engine, "peg", [5, 5, 5]) | {"id": "r"}
    await client.put("QuestionnaireResponse/r", json=given)
    assert (await client.delete("QuestionnaireResponse/r")).status_code == 204
    assert (await value(client, "r", "peg"))[0] == "entered-in-error"
    assert "derivedFrom" not in (await score(client, "r", "peg")).json()
    assert (await client.put("QuestionnaireResponse/r", json=given)).status_code == 201
    assert await value(client, "r", "peg") == ("amended", 5)
    assert "derivedFrom" in (await score(client, "r", "peg")).json()


async def test_a_score_that_was_deleted_comes_back_with_its_response(engine: Engine, client: httpx.AsyncClient) -> None:
    given = await answers(engine, "peg", [5, 5, 5]) | {"id": "r"}
    await client.put("QuestionnaireResponse/r", json=given)
    assert (await client.delete(f"Observation/{observation_id('r', 'peg')}")).status_code == 204
    await client.put("QuestionnaireResponse/r", json=given)
    assert await value(client, "r", "peg") == ("final", 5)
    assert (await score(client, "r", "peg")).json()["meta"]["versionId"] == "3"


async def test_a_patient_gives_answers_and_has_their_score(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    given = await answers(engine, "gad-7", [1] * 7) | {"id": "r"}
    patient = given["subject"]["reference"]
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await client.post("QuestionnaireResponse", json=given)).status_code == 201
    assert (await client.put("QuestionnaireResponse/r", json=given)).status_code == 201
    assert await value(client, "r", "gad-7") == ("final", 7)
    more = given | {"item": ours("gad-7", [2] * 7)["item"], "status": "amended"}
    assert (await client.put("QuestionnaireResponse/r", json=more)).status_code == 200
    found = (await score(client, "r", "gad-7")).json()
    assert (found["status"], found["valueQuantity"]["value"]) == ("amended", 14)
    assert (await client.put(f"Observation/{found['id']}", json=found)).status_code == 403
    verifier.caller = Caller("q", Role.PATIENT, fhir_user="Patient/somebody-else")
    assert (await client.put("QuestionnaireResponse/r", json=given)).status_code in (403, 404)


async def test_answers_that_are_refused_leave_no_score(engine: Engine, client: httpx.AsyncClient) -> None:
    given = ours("peg", [5, 5, 5]) | {"id": "r", "subject": {"reference": "Patient/nobody"}}
    assert (await client.put("QuestionnaireResponse/r", json=given)).status_code == 422
    assert (await client.post("QuestionnaireResponse", json=given)).status_code == 422
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'Observation'") == 0


async def test_a_transaction_stores_answers_and_scores_whole(engine: Engine, client: httpx.AsyncClient) -> None:
    good, bad = await answers(engine, "peg", [5, 5, 5]), ours("peg", [1, 1, 1])
    bad["subject"] = {"reference": "Patient/nobody"}

    def bundle(*resources: Resource) -> Resource:
        post = {"method": "POST", "url": "QuestionnaireResponse"}
        entries = [{"resource": each, "request": post} for each in resources]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    assert (await client.post("", json=bundle(good, bad))).status_code == 422
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'Observation'") == 0
    answer = await client.post("", json=bundle(good, good))
    assert answer.status_code == 200, answer.text
    ids = [entry["response"]["location"].split("/")[-3] for entry in answer.json()["entry"]]
    assert [await value(client, id_, "peg") for id_ in ids] == [("final", 5)] * 2


async def test_many_who_send_the_same_answers_at_once_make_one_score(engine: Engine, client: httpx.AsyncClient) -> None:
    given = await answers(engine, "phq-9", [1] * 9) | {"id": "r"}
    sent = await asyncio.gather(*(client.put("QuestionnaireResponse/r", json=given) for _ in range(8)))
    assert {each.status_code for each in sent} <= {200, 201, 409}
    assert (await score(client, "r", "phq-9")).json()["valueQuantity"]["value"] == 9
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'Observation'") == 1
    assert len([event for event in await told(engine) if event.type.startswith("safety.")]) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"item": [{"linkId": "/44260-8", "answer": [{"valueString": "?"}] * 3}]},
        {"questionnaire": "https://consilium.care/fhir/Questionnaire/phq-9", "item": []},
        {"questionnaire": "https://consilium.care/fhir/Questionnaire/peg", "item": [{"linkId": "peg-1"}]},
        {"contained": [{"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}],
         "encounter": {"reference": "#e"}},
        {"author": {"identifier": {"value": "x"}, "type": "Device"}},
        {"authored": "2025"},
        {"item": [{"linkId": "91147-9", "answer": [{"valueDecimal": 1e300}]}]},
        {"item": [{"linkId": "91147-9", "answer": [{"valueAttachment": {"title": "x"}}]}]},
        {"item": [{"linkId": "75893-8", "answer": [{"extension": [{"url": "urn:x", "valueString": "y"}]}]}]},
    ],
)  # fmt: skip
async def test_no_answer_is_refused_because_it_cannot_be_scored(
    engine: Engine, client: httpx.AsyncClient, more: Resource
) -> None:
    given = await answers(engine, "peg", [5, 5, 5]) | more
    if given.get("item") == []:
        del given["item"]
    made = await client.post("QuestionnaireResponse", json=given)
    assert made.status_code == 201, made.text


async def test_an_answer_about_self_harm_that_comes_as_an_observation_is_told(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    subject = {"reference": await new_patient(engine)}
    code = {"coding": [{"system": "http://loinc.org", "code": "44260-8"}]}
    item = {"resourceType": "Observation", "status": "final", "code": code, "subject": subject, "valueInteger": 1}
    made = (await client.post("Observation", json=item)).json()
    await client.put(f"Observation/{made['id']}", json=made)
    [event] = [event for event in await told(engine) if event.type.startswith("safety.")]
    assert event.subject == f"Observation/{made['id']}"


async def test_what_changed_is_accounted_for_together(engine: Engine, client: httpx.AsyncClient) -> None:
    made = await client.post("QuestionnaireResponse", json=await answers(engine, "peg", [5, 5, 5]))
    id_ = made.json()["id"]
    found = await client.get("Provenance", params={"target": f"QuestionnaireResponse/{id_}"})
    [provenance] = [entry["resource"] for entry in found.json()["entry"]]
    assert {target["reference"] for target in provenance["target"]} == {
        f"QuestionnaireResponse/{id_}/_history/1",
        f"Observation/{observation_id(id_, 'peg')}/_history/1",
    }


async def test_nothing_is_scored_that_is_none_of_ours(engine: Engine, client: httpx.AsyncClient) -> None:
    given = response({"1": 5}) | {"subject": {"reference": await new_patient(engine)}}
    assert (await client.post("QuestionnaireResponse", json=given)).status_code == 201
    assert await engine.pool.fetchval("SELECT count(*) FROM resource WHERE type = 'Observation'") == 0


async def test_answers_and_their_score_that_are_written_crosswise_leave_one_score(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    given = await answers(engine, "peg", [5, 5, 5]) | {"id": "r"}
    await client.put("QuestionnaireResponse/r", json=given)
    kept = (await score(client, "r", "peg")).json()

    async def together() -> httpx.Response:
        entries = [
            {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
            for each in (kept | {"bodySite": {"text": "back"}}, given)
        ]
        return await client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})

    async def alone(item: int) -> httpx.Response:
        more = {"item": ours("peg", [item] * 3)["item"], "status": "amended"}
        return await client.put("QuestionnaireResponse/r", json=given | more)

    sent = await asyncio.gather(*(each for n in range(10) for each in (together(), alone(n))))
    assert {each.status_code for each in sent} <= {200, 409, 503}
    assert 200 in {each.status_code for each in sent}
    last = ours("peg", [10] * 3)["item"]
    await client.put("QuestionnaireResponse/r", json=given | {"item": last, "status": "amended"})
    assert await value(client, "r", "peg") == ("amended", 10)
