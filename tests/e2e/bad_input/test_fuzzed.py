"""Whatever comes, no answer is a 5xx and every refusal is an OperationOutcome: arbitrary JSON, resources, queries."""

import copy
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.e2e.bad_input.refusals import told
from tests.e2e.fuzzing.material import places
from tests.factories.edge import Edge, quiet_edge
from tests.factories.referrals import order, task
from tests.factories.resources import bundle, care_plan, entry, observation, patient

JSON = {"content-type": "application/fhir+json"}
SEEDS: tuple[dict[str, Any], ...] = (
    patient(id="p1"),
    observation("Patient/p1"),
    care_plan("Patient/p1", activity=[{"detail": {"status": "scheduled", "kind": "Task"}}]),
    order(),
    task("accepted"),
    {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": "x"}]},
    bundle("transaction", entry("POST", "Patient", patient()), entry("GET", "Patient/p1"), entry("DELETE", "Task/x")),
    bundle("batch", entry("PUT", "Patient/p1", patient(id="p1"), ifMatch='W/"1"'), entry("GET", "Task?code=x")),
)
STEPS = (
    *("PUT /api/notifications/preferences", "POST /api/plans", "POST /api/referrals/t1/actions/schedule"),
    *("POST /api/referrals/match", "POST /api/referrals/check", "POST /api/referrals/bulk"),
    *("POST /api/referrals/t1/notes", "PUT /api/referrals/filters/mine"),
    "POST /fhir/Task/t1/$perform-action",
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["Patient/p1", "Patient", "active", "2024-02-30", "urn:uuid:1", "#x", "\x00", "\ud800", " ", ""]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
names = st.one_of(
    st.sampled_from(["_id", "_count", "_sort", "_include", "_lastUpdated", "_total", "_cursor", "_has", "_summary"]),
    st.sampled_from(["name", "birthdate", "identifier", "subject", "patient.name", "status:not", "code:missing"]),
    st.text(max_size=20),
)
values = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["ge2020", "2020-02", "a|b", "|", ",", "\\", "Patient/p1", "-name", "Patient:x", "1e400", "true"]),
)
thorough = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
async def quiet(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers."""
    async with quiet_edge(postgres, templates, SEEDS[0], trace_ratio=0) as running:
        yield running


@st.composite
def mutated(draw: st.DrawFn, *seeds: dict[str, Any]) -> dict[str, Any]:
    """A valid resource or Bundle with up to three places replaced, removed or added."""
    resource: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(seeds or SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(list(places(resource)) or [(resource, "resourceType")]))
        match draw(st.sampled_from(["replace", "remove", "add", "wrap"])):
            case "replace":
                holder[key] = draw(anything)
            case "wrap":
                holder[key] = [holder[key]]
            case "add" if isinstance(holder, dict):
                holder[draw(st.text(max_size=12))] = draw(anything)
            case _:
                del holder[key]
    return resource


@thorough
@given(body=anything, url=st.sampled_from(["/fhir", "/fhir/Patient", "/fhir/Task", "/fhir/Communication"]))
@example(body={"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": []}}]}, url="/fhir")
async def test_arbitrary_json(quiet: Edge, body: Any, url: str) -> None:
    await sent(quiet, "POST", url, json.dumps(body).encode())


@thorough
@given(resource=mutated())
async def test_mutated_resources(quiet: Edge, resource: dict[str, Any]) -> None:
    type_ = resource.get("resourceType")
    known = type_ if isinstance(type_, str) and type_.isalpha() and type_.isascii() else "Patient"
    url = "/fhir" if known == "Bundle" else f"/fhir/{known}"
    await sent(quiet, "POST", url, json.dumps(resource).encode())


@pytest.fixture(scope="module")
async def plan(quiet: Edge) -> dict[str, Any]:
    """A shared plan in its third version, as it was in the second."""
    opened = await quiet.ask("POST", "/api/plans", json={"patient": "Patient/p1"})
    url = f"/fhir/{opened.json()['care_plan']}"
    plan = (await quiet.ask("GET", url)).json()
    plan |= {"activity": [{"id": id_, "detail": {"status": "scheduled"}} for id_ in "ab"], "note": [{"text": "x"}]}
    stored = await quiet.ask("PUT", url, json=plan)
    assert (await quiet.ask("PUT", url, json=stored.json() | {"title": "Ours"})).headers["etag"] == 'W/"3"'
    found: dict[str, Any] = stored.json()
    return found


@thorough
@given(data=st.data())
async def test_mutated_contributions_and_changes_that_come_late(
    quiet: Edge, plan: dict[str, Any], data: st.DataObject
) -> None:
    url = f"/fhir/CarePlan/{plan['id']}"
    given = [{"name": "resource", "resource": plan}, {"name": "reason", "valueString": "x"}]
    whole = data.draw(mutated({"resourceType": "Parameters", "parameter": given}))
    await sent(quiet, "POST", f"{url}/$contribute", json.dumps(whole).encode())
    late = {"content-type": "application/fhir+json", "if-match": 'W/"2"'}
    answer = await quiet.ask("PUT", url, content=json.dumps(data.draw(mutated(plan))).encode(), headers=late)
    assert 400 <= answer.status_code < 500, answer.text
    compared = await quiet.ask("GET", f"{url}/$diff?from=2")
    assert compared.status_code == 200, compared.text


@thorough
@given(body=st.binary(max_size=200), step=st.sampled_from([*STEPS, "POST /fhir", "PUT /fhir/Task/t1"]))
async def test_arbitrary_bytes(quiet: Edge, body: bytes, step: str) -> None:
    method, url = step.split(" ")
    await sent(quiet, method, url, body)


@thorough
@given(body=st.dictionaries(st.sampled_from(["patient", "status", "receiver", "channel", "address"]), anything))
async def test_arbitrary_objects_for_rest(quiet: Edge, body: dict[str, Any]) -> None:
    for step in STEPS:
        method, url = step.split(" ")
        await sent(quiet, method, url, json.dumps(body).encode(), media="application/json")


@thorough
@given(
    items=st.lists(st.fixed_dictionaries({}, optional={"task": scalars, "version": scalars}) | anything, max_size=3),
    more=st.dictionaries(st.sampled_from(["action", "inputs"]), anything | st.just("assign")),
    wanted=st.dictionaries(st.sampled_from(["list", "status", "priority", "patient", "owner", "shared"]), anything),
    key=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=140),
)
@example(items=[{"task": "t1", "version": 1}], more={"action": "assign"}, wanted={"status": []}, key="k")
async def test_arbitrary_desks(
    quiet: Edge, items: list[Any], more: dict[str, Any], wanted: dict[str, Any], key: str
) -> None:
    headers = {**quiet.bearer(), "content-type": "application/json"}
    keyed = [(name.encode(), value.encode()) for name, value in headers.items()]
    keyed.append((b"idempotency-key", key.encode("latin-1")))
    for method, url, body in (
        ("POST", "/api/referrals/bulk", {"items": items, **more}),
        ("POST", "/api/referrals/t1/notes", {"text": key}),
        ("PUT", "/api/referrals/filters/mine", wanted),
    ):
        answer = await quiet.client.request(method, url, content=json.dumps(body).encode(), headers=keyed)
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            told(answer, url)


@thorough
@given(
    type_=st.sampled_from(["Patient", "Task", "Observation", "CarePlan", "Communication"]),
    pairs=st.lists(st.tuples(names, values), max_size=4),
    strict=st.booleans(),
)
async def test_arbitrary_searches(quiet: Edge, type_: str, pairs: list[tuple[str, str]], strict: bool) -> None:
    headers = quiet.bearer() | ({"prefer": "handling=strict"} if strict else {})
    try:
        request = quiet.client.build_request("GET", f"/fhir/{type_}?{urlencode(pairs)}", headers=headers)
    except UnicodeEncodeError:
        return  # a lone surrogate has no place in a URL
    answer = await quiet.client.send(request)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        told(answer, "/fhir")


@thorough
@given(
    path=st.lists(st.text(max_size=10), max_size=6), method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH"])
)
async def test_arbitrary_addresses(quiet: Edge, path: list[str], method: str) -> None:
    escaped = "/".join("".join(f"%{octet:02x}" for octet in part.encode("utf-8", "surrogatepass")) for part in path)
    for room in ("/fhir", "/fhir/Patient", "/api", "/api/plans", "/api/referrals", "/api/notifications"):
        await sent(quiet, method, f"{room}/{escaped}", b"{}")


async def sent(edge: Edge, method: str, url: str, body: bytes, *, media: str = "application/fhir+json") -> None:
    """The answer to ``body`` is no 5xx; a refusal speaks the language of the address."""
    answer = await edge.ask(method, url, content=body, headers={"content-type": media})
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        told(answer, url)
