"""Problems of the REST API: every error has a status and a body, and no body repeats the request."""

import logging
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Literal

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from shared.errors import Category, ConsiliumError, Gone, Issue, NotFound, Unavailable, Unprocessable
from shared.problem import LastResort, install_problem_handlers
from shared.status import STATUS
from shared.telemetry.logs import JsonFormatter

CANARY = "Zaphod-1952-03-11"
A_REFERENCE = "A relative reference is expected, [type]/[id], of the type Device, Organization."


class Triage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: int = Field(ge=1)
    patient: str | None = Field(default=None, pattern="^[a-z]+$")
    side: Literal["left", "right"] = "left"
    at: date | None = None
    size: Annotated[float, Field(multiple_of=2)] = 2
    owner: str | None = Field(default=None, pattern="^(Device|Organization)/[a-z]+$")
    items: list[int] | None = Field(default=None, min_length=1)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app)
    app.add_middleware(LastResort, answers={"/fhir": lambda: JSONResponse({"resourceType": "x"}, 500)})

    @app.get("/raise/{category}")
    async def raising(category: str) -> None:
        kinds = {kind.category: kind for kind in ConsiliumError.__subclasses__()}
        raise kinds[Category(category)]("Said by us.")

    @app.get("/several")
    async def several() -> None:
        raise Unprocessable.of((Issue("value", "One.", ("Task.status",)), Issue("value", "Two.")))

    @app.get("/broken")
    @app.get("/fhir/broken")
    async def broken() -> None:
        raise RuntimeError(CANARY)

    @app.post("/triage")
    async def triage(body: Triage) -> None: ...

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def test_every_category_has_its_status() -> None:
    assert set(STATUS) == set(Category)


@pytest.mark.parametrize("category", Category)
async def test_an_error_of_ours_becomes_its_status(client: httpx.AsyncClient, category: Category) -> None:
    answer = await client.get(f"/raise/{category}")
    assert answer.status_code == STATUS[category]
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["detail"]) == (STATUS[category], "Said by us.")


async def test_all_findings_are_told(client: httpx.AsyncClient) -> None:
    issues = (await client.get("/several")).json()["issues"]
    assert [(issue["text"], issue["expression"]) for issue in issues] == [("One.", ["Task.status"]), ("Two.", [])]


@pytest.mark.parametrize(
    ("error", "header"), [(Unavailable, "retry-after"), (NotFound, None), (Gone, None)], ids=lambda v: str(v)
)
async def test_a_client_is_told_when_to_come_again(
    client: httpx.AsyncClient, error: type[ConsiliumError], header: str | None
) -> None:
    answer = await client.get(f"/raise/{error.category}")
    assert ("retry-after" in answer.headers) is (header is not None)


@pytest.mark.parametrize(
    ("body", "status", "expression", "text"),
    [
        (f'{{"priority": "{CANARY}"}}', 422, "body.priority", "A whole number is expected."),
        ('{"priority": 0}', 422, "body.priority", "A number that is at least 1 is expected."),
        (f'{{"priority": 1, "patient": {{"{CANARY}": 1}}}}', 422, "body.patient", "Text is expected."),
        (f'{{"priority": 1, "patient": "{CANARY}"}}', 422, "body.patient", "Text of the form ^[a-z]+$ is expected."),
        (f'{{"priority": 1, "side": "{CANARY}"}}', 422, "body.side", "'left' or 'right' is expected."),
        (f'{{"priority": 1, "at": "{CANARY}"}}', 422, "body.at", "A date like 2026-01-31 is expected."),
        ('{"priority": 1, "size": 1.5}', 422, "body.size", "The value is not accepted."),
        ('{"priority": 1, "owner": "x"}', 422, "body.owner", A_REFERENCE),
        ('{"priority": 1, "items": []}', 422, "body.items", "At least 1 values are expected."),
        (f'{{"priority": 1, "{CANARY}": 2}}', 422, "body", "An element that is not declared is not accepted."),
        ("{}", 422, "body.priority", "A value is required."),
        (f'{{"priority": {CANARY}', 400, "body", "JSON is expected."),
        (f'"{CANARY}"', 422, "body", "An object is expected."),
    ],
)
async def test_a_body_that_does_not_fit_is_told_what_would_and_not_repeated(
    client: httpx.AsyncClient, body: str, status: int, expression: str, text: str
) -> None:
    answer = await client.post("/triage", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    issue = answer.json()["issues"][0]
    assert (issue["expression"], issue["text"]) == ([expression], text)
    assert CANARY not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", f"/{CANARY}", 404), ("DELETE", "/triage", 405)])
async def test_what_the_router_refuses_is_a_problem_too(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert CANARY not in answer.text


async def test_an_unforeseen_error_is_told_to_the_log_and_not_to_the_client(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/broken")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal Server Error")
    logged = "".join(JsonFormatter("test").format(record) for record in caplog.records)
    assert "RuntimeError" in logged
    assert "test_problem" in logged
    assert CANARY not in answer.text + logged


async def test_an_unforeseen_error_below_a_prefix_is_answered_in_its_own_way(client: httpx.AsyncClient) -> None:
    answer = await client.get("/fhir/broken")
    assert (answer.status_code, answer.json()) == (500, {"resourceType": "x"})
