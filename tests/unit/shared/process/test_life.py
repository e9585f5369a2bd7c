"""From start to end of a process: what lasts must last, and what has something in hand may finish it."""

import asyncio

import pytest

from shared.process import life
from shared.process.life import Stopped, unless, until


async def test_it_returns_when_told_and_lets_everything_finish() -> None:
    stop, finished = asyncio.Event(), asyncio.Event()

    async def lasting() -> None:
        await stop.wait()
        await asyncio.sleep(0)
        finished.set()

    stop.set()
    await until(stop, [asyncio.create_task(lasting())])
    assert finished.is_set()


async def test_something_that_ends_by_itself_ends_the_process_with_its_error() -> None:
    stop, told = asyncio.Event(), asyncio.Event()

    async def broken() -> None:
        raise LookupError

    async def other() -> None:
        await stop.wait()
        told.set()

    with pytest.raises(LookupError):
        await until(stop, [asyncio.create_task(broken()), asyncio.create_task(other())])
    assert told.is_set()


async def test_even_without_an_error() -> None:
    async def gone() -> None:
        return

    with pytest.raises(RuntimeError, match="the worker ended unexpectedly"):
        await until(asyncio.Event(), [asyncio.create_task(gone(), name="worker")])


async def test_others_may_have_nothing_to_do() -> None:
    stop = asyncio.Event()

    async def nothing() -> None:
        return

    async def lasting() -> None:
        await stop.wait()

    ending = asyncio.create_task(until(stop, [asyncio.create_task(lasting())], [asyncio.create_task(nothing())]))
    await asyncio.sleep(0.05)
    assert not ending.done()
    stop.set()
    await ending


async def test_what_takes_longer_than_the_grace_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(life, "GRACE", 0.05)
    stop = asyncio.Event()
    stop.set()
    stubborn = asyncio.create_task(asyncio.sleep(60))
    await until(stop, [stubborn])
    assert stubborn.cancelled()


async def test_a_start_that_waits_is_over_when_the_process_is_told_to_stop() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(asyncio.sleep(60))
    asyncio.get_running_loop().call_later(0.01, stop.set)
    with pytest.raises(Stopped):
        await asyncio.wait_for(unless(stop, waiting), 10)
    assert waiting.cancelled()


async def test_a_start_that_waits_has_its_result_or_its_error() -> None:
    async def here() -> str:
        return "here"

    async def gone() -> str:
        raise LookupError

    assert await unless(asyncio.Event(), here()) == "here"
    with pytest.raises(LookupError):
        await unless(asyncio.Event(), gone())
