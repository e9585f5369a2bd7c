"""FastAPI routes get their caller, or the client gets a problem."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, FastAPI

from shared.problem import install_problem_handlers
from shared.security.caller import Caller, Role
from shared.security.dependency import CurrentCaller, require_role
from shared.security.keys import local_key
from shared.security.settings import SecuritySettings
from shared.security.tokens import mint, verifier_for


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.state.verifier = verifier_for(SecuritySettings(data_dir=tmp_path))
    install_problem_handlers(app)

    @app.get("/me")
    async def me(caller: CurrentCaller) -> str:
        return caller.subject

    @app.get("/worklist")
    async def worklist(caller: Annotated[Caller, Depends(require_role(Role.COORDINATOR, Role.SYSTEM))]) -> str:
        return caller.role

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


def as_role(role: Role, data_dir: Path) -> dict[str, str]:
    return {"authorization": "Bearer " + mint(Caller("someone", role), timedelta(minutes=1), local_key(data_dir))}


async def test_a_route_gets_its_caller(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/me", headers=as_role(Role.PATIENT, tmp_path))
    assert (answer.status_code, answer.json()) == (200, "someone")


async def test_without_a_token_the_client_is_told_how_to_come(client: httpx.AsyncClient) -> None:
    answer = await client.get("/me")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("role", "status"), [(Role.COORDINATOR, 200), (Role.SYSTEM, 200), (Role.CLINICIAN, 403), (Role.PATIENT, 403)]
)
async def test_a_role_decides(client: httpx.AsyncClient, tmp_path: Path, role: Role, status: int) -> None:
    assert (await client.get("/worklist", headers=as_role(role, tmp_path))).status_code == status
