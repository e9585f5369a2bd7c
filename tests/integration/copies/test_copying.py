"""Copies that are written together: one statement for many, and nobody is harmed by a neighbour."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from shared.store import resources
from shared.store.copying import Copier
from shared.store.write import Write
from tests.factories.resources import patient
from tests.integration.copies.conftest import Pair

PATIENTS = 40


def _copy(id_: str, version: int) -> Write:
    return Write("Patient", id_, version, datetime.now(UTC), "PUT", f"{version}".encode())


async def test_events_that_come_together_share_statements(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = resources.write_copies

    async def counted(connection: Any, copies: Sequence[Write]) -> int:
        sizes.append(len(copies))
        return await real(connection, copies)

    monkeypatch.setattr(resources, "write_copies", counted)
    for number in range(PATIENTS):
        await pair.fhir.put(f"Patient/p{number}", json=patient(id=f"p{number}"))
    await asyncio.gather(*(pair.follow(event) for event in await pair.told()))
    assert len(await pair.copies()) == sum(sizes) == PATIENTS
    assert len(sizes) < PATIENTS / 2


async def test_of_several_versions_at_once_the_newest_stays(pair: Pair) -> None:
    copier = Copier(pair.keeper.pool)
    await asyncio.gather(*(copier.write(_copy("p", version)) for version in (1, 3, 5, 2, 4)))
    assert await pair.copies() == {"p": (5, False, b"5")}
    assert not await copier.write(_copy("p", 4))
    assert await pair.copies() == {"p": (5, False, b"5")}


async def test_what_the_database_refuses_harms_no_neighbour(pair: Pair) -> None:
    copier = Copier(pair.keeper.pool)
    wanted = [_copy("a", 1), _copy("b", 1), _copy("not\0text", 1), _copy("c", 1)]
    answers = await asyncio.gather(*(copier.write(copy) for copy in wanted), return_exceptions=True)
    assert isinstance(answers[2], asyncpg.PostgresError)
    assert [answers[0], answers[1], answers[3]] == [True, True, True]
    assert set(await pair.copies()) == {"a", "b", "c"}
