"""Who may not: tokens that do not count, roles that may not, steps that are not theirs, versions that are gone."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.security.caller import Caller
from shared.security.keys import new_key
from shared.security.tokens import mint
from tests.e2e.bad_input.refusals import refused, told
from tests.factories.edge import SYSTEM, Edge, quiet_edge
from tests.factories.referrals import COORDINATOR, OWNER, PATIENT, REASON, REQUESTER, STRANGER, order, task
from tests.factories.resources import bundle, care_plan, entry, patient

PROTECTED = (
    ("GET", "/fhir/Patient/p1"),
    ("GET", "/fhir/Task"),
    ("GET", "/fhir/Communication/x/_history"),
    ("POST", "/fhir/Patient"),
    ("POST", "/fhir/Patient/_search"),
    ("PUT", "/fhir/Task/t1"),
    ("DELETE", "/fhir/CarePlan/c1"),
    ("GET", "/api/plans/c1"),
    ("GET", "/api/referrals"),
    ("GET", "/api/referrals/directory"),
    ("POST", "/api/referrals/match"),
    ("POST", "/api/referrals/t1/actions/accept"),
    ("POST", "/api/referrals/t1/notes"),
    ("GET", "/api/referrals/t1/notes"),
    ("POST", "/api/referrals/bulk"),
    ("GET", "/api/referrals/filters"),
    ("PUT", "/api/referrals/filters/mine"),
    ("DELETE", "/api/referrals/filters/mine"),
    ("GET", "/fhir/Task/t1/$available-actions"),
    ("POST", "/fhir/Task/t1/$perform-action"),
    ("PUT", "/api/notifications/preferences"),
    ("GET", "/api/notifications/stream"),
)


@pytest.fixture(scope="module")
async def quiet(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers that holds one referral and one plan."""
    held = (
        *({"resourceType": "Practitioner", "id": id} for id in ("lind", "moss", "co", "far")),
        *({"resourceType": "Organization", "id": id, "name": id} for id in ("mind-centre", "elsewhere")),
        patient(id="p1"),
        patient(id="p2"),
        care_plan("Patient/p1", id="c1"),
        order(),
        task("requested"),
        task("accepted", id="t2"),
    )
    async with quiet_edge(postgres, templates, *held) as running:
        yield running


def forged(header: dict[str, Any], payload: dict[str, Any], signature: bytes = b"x") -> str:
    """A token that nobody signed."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return "Bearer " + ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def claims(**more: Any) -> dict[str, Any]:
    """Claims that would count if they were signed."""
    now = int(time.time())
    standard = {"iss": "consilium-local", "aud": "consilium", "iat": now, "exp": now + 600}
    return {"sub": "x", "role": "system", **standard, **more}


def bad_tokens(edge: Edge) -> dict[str, str | None]:
    """Authorization headers that must not count."""
    hour, key = timedelta(hours=1), edge.key
    good = mint(SYSTEM, hour, key)
    head, body, signature = good.split(".")
    return {
        "none": None,
        "empty": "",
        "another scheme": "Basic eDp5",
        "a bare token": good,
        "nonsense": "Bearer nonsense",
        "two tokens": f"Bearer {good} {good}",
        "expired": f"Bearer {mint(SYSTEM, -hour, key)}",
        "of the future": f"Bearer {mint(SYSTEM, hour, key, now=lambda: time.time() + 3600)}",
        "another key": f"Bearer {mint(SYSTEM, hour, new_key())}",
        "another issuer": f"Bearer {mint(SYSTEM, hour, key, issuer='else')}",
        "another audience": f"Bearer {mint(SYSTEM, hour, key, audience='else')}",
        "no signature": f"Bearer {head}.{body}.",
        "a changed payload": f"Bearer {head}.{body[:-2]}AA.{signature}",
        "alg none": forged({"alg": "none", "typ": "JWT"}, claims(), b""),
        "alg none, our kid": forged({"alg": "None", "kid": key.kid}, claims(), b""),
        "the public key as secret": forged({"alg": "HS256", "kid": key.kid}, claims()),
        "a key of its own": forged({"alg": "ES256", "jwk": key.jwk}, claims()),
        "claims that are a list": forged({"alg": "ES256"}, []),  # type: ignore[arg-type]  # that is the point
        "very long": "Bearer " + "x" * 20_000,
    }


async def test_a_token_that_does_not_count_is_401_everywhere(quiet: Edge) -> None:
    before = await quiet.rows()
    for name, authorization in bad_tokens(quiet).items():
        headers = {} if authorization is None else {"authorization": authorization}
        for method, url in PROTECTED:
            answer = await quiet.client.request(method, url, headers=headers)
            assert answer.status_code == 401, (name, method, url, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            told(answer, url)
        answer = await quiet.client.post("/fhir", json=bundle("batch", entry("GET", "Patient/p1")), headers=headers)
        assert answer.status_code == 401
    assert await quiet.rows() == before


async def test_whoever_asks_may_read_what_the_server_does_and_whether_it_lives(quiet: Edge) -> None:
    for url in ("/fhir/metadata", "/health/live", "/health/ready"):
        assert (await quiet.client.get(url)).status_code == 200


@pytest.mark.parametrize(
    ("resource", "caller"),
    [
        (care_plan("Patient/p1"), PATIENT),
        (task("requested"), PATIENT),
        (order(), PATIENT),
        (patient(), PATIENT),
        (order(), STRANGER),
        (task("requested"), STRANGER),
        ({"resourceType": "Practitioner"}, PATIENT),
        (
            {"resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": "Task?"}
            | {"channel": {"type": "rest-hook"}},
            PATIENT,
        ),
        *(
            ({"resourceType": type_, "status": "completed", **mine, element: {"reference": other}}, PATIENT)
            for type_, mine, element, other in (
                ("Communication", {"sender": {"reference": "Patient/p1"}}, "subject", "Patient/p2"),
                ("CommunicationRequest", {"requester": {"reference": "Patient/p1"}}, "subject", "Patient/p2"),
                ("QuestionnaireResponse", {"subject": {"reference": "Patient/p1"}}, "author", "Practitioner/lind"),
                ("QuestionnaireResponse", {"subject": {"reference": "Patient/p1"}}, "source", "Practitioner/lind"),
            )
        ),
    ],
)
async def test_a_role_that_may_not_create_is_403(quiet: Edge, resource: dict[str, Any], caller: Caller) -> None:
    made = {name: value for name, value in resource.items() if name != "id"}
    await refused(quiet, "POST", f"/fhir/{made['resourceType']}", 403, json=made, caller=caller)
    whole = bundle("transaction", entry("POST", made["resourceType"], made))
    await refused(quiet, "POST", "/fhir", 403, json=whole, caller=caller)


@pytest.mark.parametrize(
    ("change", "caller", "status"),
    [
        (task("accepted"), STRANGER, 403),
        (task("accepted"), PATIENT, 403),
        (task("accepted"), REQUESTER, 403),
        (task("cancelled"), OWNER, 403),
        (task("requested", note=[{"text": "x"}]), STRANGER, 403),
        (task("completed"), OWNER, 409),
        (task("draft"), REQUESTER, 409),
        (task("rejected", statusReason=None), OWNER, 422),
        (task("cancelled", statusReason={"coding": [{"code": "x"}]}), REQUESTER, 422),
        (task("requested") | {"for": {"reference": "Patient/other"}}, REQUESTER, 422),
    ],
)
async def test_a_step_that_is_not_theirs_now(quiet: Edge, change: dict[str, Any], caller: Caller, status: int) -> None:
    first = {"if-match": 'W/"1"'}
    await refused(quiet, "PUT", "/fhir/Task/t1", status, json=change, caller=caller, headers=first)
    put = bundle("transaction", entry("PUT", "Task/t1", change, ifMatch='W/"1"'))
    await refused(quiet, "POST", "/fhir", status, json=put, caller=caller)


async def test_actions_obey_the_same_rules(quiet: Edge) -> None:
    url, perform, first = "/api/referrals/t1/actions", "/fhir/Task/t1/$perform-action", {"if-match": 'W/"1"'}
    for action, caller, status in (
        ("accept", STRANGER, {403, 404}),
        ("accept", REQUESTER, 403),
        ("recall", OWNER, 403),
        ("complete", OWNER, 409),
        ("decline", OWNER, 422),
    ):
        await refused(quiet, "POST", f"{url}/{action}", status, json={}, caller=caller, headers=first)
        asked = {"resourceType": "Parameters", "parameter": [{"name": "action", "valueCode": action}]}
        await refused(quiet, "POST", perform, status, json=asked, caller=caller, headers=first)
    stale, body = {"if-match": 'W/"9"'}, {"reason": REASON["text"]}
    await refused(quiet, "POST", f"{url}/decline", 412, json=body, caller=OWNER, headers=stale)
    await refused(quiet, "POST", f"{url}/decline", 428, json=body, caller=OWNER)
    await refused(quiet, "POST", f"{url}/decline", 400, json=body, caller=OWNER, headers={"if-match": "1"})
    await refused(quiet, "GET", "/api/notifications/deliveries", 403, caller=OWNER)
    await refused(quiet, "GET", "/api/notifications/preferences?receiver=Practitioner/lind", 403, caller=OWNER)
    await refused(quiet, "POST", "/api/plans", 403, json={"patient": "Patient/p1"}, caller=PATIENT)


async def test_what_a_coordinators_desk_has_is_not_everybodys(quiet: Edge) -> None:
    note, wanted = {"text": "Hello."}, {"list": "open"}
    for caller in (STRANGER, PATIENT):
        await refused(quiet, "POST", "/api/referrals/t1/notes", 403, json=note, caller=caller)
    stale = {"if-match": 'W/"9"'}
    await refused(quiet, "POST", "/api/referrals/t1/notes", 412, json=note, caller=COORDINATOR, headers=stale)
    await refused(quiet, "PUT", "/api/referrals/filters/mine", 403, json=wanted, caller=PATIENT)
    await refused(quiet, "PUT", "/api/referrals/filters/mine", 403, json={"shared": True}, caller=OWNER)
    await refused(quiet, "PUT", "/api/referrals/filters/mine", 412, json=wanted, caller=COORDINATOR, headers=stale)
    for url in ("/api/referrals/filters", "/api/referrals?filter=mine"):
        await refused(quiet, "GET", url, 403, caller=PATIENT)


@pytest.mark.parametrize(
    ("resource", "caller"),
    [(care_plan("Patient/p1", id="c1"), COORDINATOR), (task("accepted", id="t2"), COORDINATOR), (order(), REQUESTER)],
)
async def test_people_name_the_version_that_they_saw(quiet: Edge, resource: dict[str, Any], caller: Caller) -> None:
    url = f"/fhir/{resource['resourceType']}/{resource['id']}"
    await refused(quiet, "PUT", url, 428, json=resource, caller=caller)
    for stale in ('W/"2"', 'W/"0"'):
        await refused(quiet, "PUT", url, 412, json=resource, caller=caller, headers={"if-match": stale})
        await refused(quiet, "PUT", url, 412, json=resource, headers={"if-match": stale})
    for malformed in ("1", "W/1", '"x"', 'W/"-1"', "*x", ""):
        await refused(quiet, "PUT", url, 400, json=resource, caller=caller, headers={"if-match": malformed})


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_open_mode_serves_loopback_only(tmp_path: Path, host: str) -> None:
    environment = os.environ | {
        "CONSILIUM_AUTH": "open",
        "CONSILIUM_HOST": host,
        "CONSILIUM_PORT": "0",
        "CONSILIUM_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", "from consilium.main import app; app()", "run"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "CONSILIUM_AUTH=open" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
