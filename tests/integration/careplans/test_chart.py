"""``/api/plans/{id}/measures/chart.*``: drawn from what there is, the same bytes each time, and readable by all."""

import xml.etree.ElementTree as ET

import httpx
import pytest

from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import Referral, hear, new_patient, shared_plan
from tests.integration.careplans.test_measures_over_rest import PLANS, score

SVG = "{http://www.w3.org/2000/svg}"


async def a_plan(engine: Engine) -> tuple[str, str]:
    """A patient with two scores of two measures and a referral that was completed; the URL of the charts."""
    patient = await new_patient(engine)
    referral = Referral(patient, discipline="physical-therapy")
    await hear(engine, referral.event("accepted"), referral.event("scheduled"))
    await hear(engine, referral.event("scheduled", version=5, business_status="5.1.4"))
    await hear(engine, referral.event("completed", version=6))
    for measure, before, after in (("peg", 8, 5), ("phq-9", 16, 9)):
        await score(engine, patient, measure, before, "2025-02-01")
        await score(engine, patient, measure, after, "2025-04-01")
    plan = await shared_plan(engine, patient)
    return patient, f"{PLANS}/{plan['id']}/measures/chart"


async def test_a_chart_is_the_same_bytes_until_something_changes(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, url = await a_plan(engine)
    for form, type_ in (("svg", "image/svg+xml"), ("png", "image/png"), ("txt", "text/plain; charset=utf-8")):
        first, second = await client.get(f"{url}.{form}"), await client.get(f"{url}.{form}")
        assert (first.status_code, first.headers["content-type"]) == (200, type_)
        assert first.content == second.content
        tag = first.headers["etag"]
        assert second.headers["etag"] == tag
        known = await client.get(f"{url}.{form}", headers={"If-None-Match": f'"x", W/{tag}'})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
        await score(engine, patient, "peg", 4, "2025-05-01")
        renewed = await client.get(f"{url}.{form}", headers={"If-None-Match": tag})
        assert renewed.status_code == 200
        assert renewed.content != first.content
        patient, url = await a_plan(engine)


async def test_a_chart_can_be_read_aloud_and_names_nobody(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, url = await a_plan(engine)
    words = (await client.get(f"{url}.txt")).text
    svg = (await client.get(f"{url}.svg")).text
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Outcome measures and plan events"
    assert root.findtext(f"{SVG}desc") == words
    assert "2025-02-01 8 (severe); 2025-04-01 5 (moderate)" in words
    assert "Physical therapy started" in words
    assert "Physical therapy completed" in words
    drawn = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "moderately severe" in drawn
    for name in (patient, patient.removeprefix("Patient/"), "clinic", "Organization"):
        assert name not in svg + words


async def test_measures_and_days_can_be_chosen(engine: Engine, client: httpx.AsyncClient) -> None:
    _, url = await a_plan(engine)

    async def words(**parameters: str) -> str:
        answer = await client.get(f"{url}.txt", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.text

    assert "PEG" not in await words(measure="phq-9")
    only = await words(measure="peg", **{"from": "2025-04-01", "to": "2025-04-01"})
    assert "2025-04-01 5" in only
    assert "2025-02-01" not in only
    assert "Events" not in only
    assert "No scores in this time." in await words(to="2020-01-01")
    png = await client.get(f"{url}.png", params={"to": "2020-01-01"})
    assert png.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("query", ["?measure=nrs", "?from=yesterday", "?from=2025-02-01&to=2025-01-01", "?colour=red"])
async def test_what_cannot_be_drawn_is_refused(engine: Engine, client: httpx.AsyncClient, query: str) -> None:
    _, url = await a_plan(engine)
    refused = await client.get(f"{url}.svg{query}")
    assert refused.status_code in (400, 422)
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await client.get(f"{url}.gif")).status_code in (404, 422)


async def test_patients_see_a_chart_of_their_own(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, url = await a_plan(engine)
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await client.get(f"{url}.txt")).status_code == 200
    verifier.caller = Caller("q", Role.PATIENT, fhir_user="Patient/somebody-else")
    assert (await client.get(f"{url}.svg")).status_code == 404


@pytest.mark.parametrize("query", ["from=0001-01-01", "to=9999-12-31", "from=1899-12-31&to=1900-01-01"])
async def test_days_out_of_reach_are_refused(engine: Engine, client: httpx.AsyncClient, query: str) -> None:
    _, url = await a_plan(engine)
    assert (await client.get(f"{url}.png?{query}")).status_code == 422
