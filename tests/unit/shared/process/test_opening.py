"""A starting process waits for a database that may still come, and not for one that will not."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from pydantic import ValidationError

from shared.process.mistakes import Mistake, Unreachable
from shared.process.opening import database_of, patiently
from shared.process.settings import ProcessSettings


def failing(*errors: Exception) -> tuple[list[int], Callable[[], Awaitable[str]]]:
    """Work that raises ``errors`` one after the other, then succeeds; and how often it was tried."""
    tried: list[int] = []

    async def work() -> str:
        tried.append(len(tried))
        if len(tried) <= len(errors):
            raise errors[len(tried) - 1]
        return "here"

    return tried, work


@pytest.mark.parametrize("error", [ConnectionRefusedError(), asyncpg.CannotConnectNowError("x"), Unreachable("x")])
async def test_what_may_pass_is_tried_again(error: Exception) -> None:
    if isinstance(error, Unreachable):
        error.__cause__ = OSError()
    tried, work = failing(error)
    assert await patiently(work, ProcessSettings(patience_s=5)) == "here"
    assert len(tried) == 2


@pytest.mark.parametrize("error", [asyncpg.InvalidPasswordError("x"), asyncpg.ClientConfigurationError("x")])
async def test_what_does_not_pass_is_told_at_once(error: Exception) -> None:
    tried, work = failing(error, error)
    with pytest.raises(Unreachable):
        await patiently(work, ProcessSettings(patience_s=60))
    assert len(tried) == 1


async def test_patience_ends() -> None:
    tried, work = failing(*[OSError()] * 100)
    with pytest.raises(Unreachable):
        await asyncio.wait_for(patiently(work, ProcessSettings(patience_s=0)), 10)
    assert len(tried) == 1


async def test_what_is_no_loss_is_no_reason_to_wait() -> None:
    _, work = failing(Mistake("A database is missing and this user may not make it."))
    with pytest.raises(Mistake, match="may not make it"):
        await patiently(work, ProcessSettings(patience_s=60))


def test_every_service_has_a_database_of_its_own() -> None:
    settings = ProcessSettings(database_url="postgresql://u:p@db/care")
    assert database_of("referrals", settings) == "postgresql://u:p@db/care_referrals"
    with pytest.raises(Mistake, match="CONSILIUM_DATABASE_URL"):
        database_of("referrals", ProcessSettings())


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://h/d", "postgresql://u:s3/cret@h/d", "postgresql://u:s3#cret@h/d", "postgresql://[::1/d"],
)
@pytest.mark.parametrize("name", ["database_url", "database_read_url"])
def test_a_url_that_is_none_is_told_without_its_password(name: str, url: str) -> None:
    with pytest.raises(ValidationError, match="looks like postgresql://") as told:
        ProcessSettings.model_validate({name: url})
    assert "cret" not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/d",
        "postgres://u@h1:5432,[::1]:5433/d_{service}",
        "postgresql://u:s3%2Fcret@/d?host=/run/pg",
        "postgresql://%2Frun%2Fpg:5432/d",
    ],
)
def test_any_url_that_postgresql_knows_will_do(url: str) -> None:
    assert ProcessSettings(database_url=url).database_url == url
