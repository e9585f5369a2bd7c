"""What a client sends stays in the record: a canary in every field shows in no log, span, metric or error."""

import json
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from shared.security.caller import Caller, Role
from shared.telemetry.propagation import working
from tests.e2e.canaries import CANARY, ID, NUMBER, Sent, everywhere, stored
from tests.e2e.canaries_of_plans import about, applied, definitions
from tests.factories.edge import SYSTEM, Edge, edge, fresh_databases
from tests.scale import within_the_test

CALLERS = (
    SYSTEM,
    Caller(CANARY, Role.COORDINATOR, None, f"Practitioner/{ID}", f"Organization/{ID}"),
    Caller(CANARY, Role.PATIENT, None, f"Patient/{ID}"),
)


@pytest.fixture(scope="module")
async def seen(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system whose every word is kept."""
    async with fresh_databases(postgres, templates) as databases, edge(databases) as running:
        yield running


async def test_the_canaries_are_taken_where_they_are_well_formed(seen: Edge) -> None:
    for sent in stored():
        answer = await asked(seen, sent, SYSTEM)
        assert answer.status_code in (200, 201), (sent, answer.text)
        assert carries(answer.text)


async def test_a_canary_sent_everywhere_shows_nowhere(
    seen: Edge, postgres: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log_before = await server_log(postgres)
    for caller in CALLERS:
        assert await leaks(seen, everywhere(), caller) == []
    await shows_nowhere(seen)
    assert not carries((await server_log(postgres)).removeprefix(log_before))
    assert not carries("".join(capfd.readouterr()))


async def test_a_canary_in_a_plan_and_its_proposals_shows_nowhere(
    seen: Edge, postgres: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log_before = await server_log(postgres)
    for sent in (*stored(), *definitions()):
        await asked(seen, sent, SYSTEM)
    opened = await asked(seen, Sent("POST", "/api/plans", {"patient": f"Patient/{ID}"}), SYSTEM)
    plan = opened.json()["care_plan"].partition("/")[2]
    wanted = {"definition": f"PlanDefinition/{ID}", "matters": CANARY}
    made = await asked(seen, Sent("POST", f"/api/plans/{plan}/proposals", wanted), SYSTEM)
    assert made.status_code == 201, made.text
    for caller in CALLERS:
        assert await leaks(seen, (*definitions(), *applied(), *about(plan, made.json()["id"])), caller) == []
    decided = await asked(seen, Sent("GET", f"/fhir/RequestGroup/{made.json()['id']}"), SYSTEM)
    assert decided.json()["status"] == "completed", "one of the decisions was taken"
    await shows_nowhere(seen)
    assert not carries((await server_log(postgres)).removeprefix(log_before))
    assert not carries("".join(capfd.readouterr()))


async def leaks(seen: Edge, requests: Iterable[Sent], caller: Caller) -> list[str]:
    """What the answers to refused ``requests`` say of canaries. None of them is a mistake of ours."""
    found: list[str] = []
    for sent in requests:
        answer = await asked(seen, sent, caller)
        assert answer.status_code < 500, (sent, answer.text)
        found += [f"{sent.method} {sent.url} {told}"[:600] for told in refusals(answer) if carries(told)]
    return found


async def shows_nowhere(seen: Edge) -> None:
    """No line, span, metric or record of the log has a canary."""
    assert [line for line in seen.lines if carries(line)] == []
    assert [text for text in spans(seen) if carries(text)] == []
    assert [text for text in points(seen) if carries(text)] == []
    assert [text for text in logs(seen) if carries(text)] == []


@within_the_test("breaks the code")
async def test_a_defect_of_ours_tells_nothing(seen: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: Any) -> None:
        raise RuntimeError(CANARY)

    for place in ("services.gateway.main.batch", "shared.fhir.routes.create", "services.careplans.app.queries.plan"):
        monkeypatch.setattr(place, breaks)
    for sent in (
        Sent("POST", "/fhir", {"resourceType": "Bundle", "type": "batch"}),
        Sent("POST", "/fhir/Patient", {"resourceType": "Patient"}),
        Sent("GET", f"/api/plans/{ID}"),
    ):
        answer = await asked(seen, sent, SYSTEM)
        assert answer.status_code == 500
        assert ("OperationOutcome" in answer.text) is sent.url.startswith("/fhir")
        assert not carries(answer.text)
    assert [line for line in seen.lines if carries(line)] == []
    assert [text for text in spans(seen) if carries(text)] == []
    assert [text for text in logs(seen) if carries(text)] == []


@within_the_test("leaks on purpose")
async def test_a_leak_would_be_found(seen: Edge) -> None:
    kept = len(seen.lines)
    logging.getLogger("shared.anything").debug("said of %s", CANARY)
    assert any(carries(line) for line in seen.lines[kept:])
    assert any(carries(text) for text in logs(seen))
    del seen.lines[kept:]
    seen.exported.clear()
    with working("leaking", {"said": CANARY}):
        pass
    assert any(carries(text) for text in spans(seen))
    seen.recorded.clear()


async def asked(seen: Edge, sent: Sent, caller: Caller) -> httpx.Response:
    """The answer to ``sent``."""
    body: dict[str, Any] = {}
    if isinstance(sent.body, bytes):
        body["content"] = sent.body
    elif sent.body is not None:
        body["json"] = sent.body
    return await seen.ask(sent.method, sent.url, caller=caller, headers=sent.headers, **body)


def carries(text: str) -> bool:
    """Whether a canary is in ``text``."""
    return CANARY.lower() in text.lower() or str(NUMBER) in text


def refusals(answer: httpx.Response) -> Iterator[str]:
    """What an answer says of errors: all of it, or the outcomes in it; headers but for the place of what was stored."""
    yield "".join(f"{name}: {value}\n" for name, value in answer.headers.items() if name not in ("location", "etag"))
    if answer.status_code >= 400:
        yield _without_difference(answer.text)
    elif "json" in answer.headers.get("content-type", ""):
        content = answer.json()
        for entry in content.get("entry", []) if isinstance(content, dict) else []:
            if entry.get("response", {}).get("status", "2") >= "4" or "outcome" in entry.get("response", {}):
                yield json.dumps(entry)


def _without_difference(text: str) -> str:
    """A refusal without what it contains: of a change that came late, what was sent beside what is stored."""
    outcome = json.loads(text) if text.startswith('{"resourceType":"OperationOutcome","contained"') else None
    if outcome is None:
        return text
    (contained,) = outcome.pop("contained")
    assert contained["id"] == "diff"
    return json.dumps(outcome)


def spans(seen: Edge) -> Iterable[str]:
    """Every span, whole."""
    return (span.to_json() for span in seen.spans())


def points(seen: Edge) -> Iterable[str]:
    """Every metric's name and every point's labels, and its examples."""
    seen.telemetry.flush()
    return (
        f"{name} {point.attributes} {[example.filtered_attributes for example in point.exemplars]}"
        for name, found in seen.metrics.points.items()
        for point in found
    )


def logs(seen: Edge) -> Iterable[str]:
    """Every log record as it leaves the process."""
    return (log.to_json() for log in seen.exported.get_finished_logs())


async def server_log(postgres: str) -> str:
    """The log of the PostgreSQL server."""
    connection = await asyncpg.connect(postgres)
    try:
        folder = Path(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()
    return read_logs(folder)


def read_logs(folder: Path) -> str:
    """All log files below ``folder``."""
    return "".join(file.read_text(errors="replace") for file in sorted(folder.rglob("*log")) if file.is_file())
