"""Wait for a fact instead of sleeping; and see whether others could have worked meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


async def eventually(fact: Callable[[], Awaitable[T]], *, within: float = 20.0, every: float = 0.05) -> T:
    """The first truthy answer of ``fact``; assertion errors count as "not yet". Fails after ``within`` seconds."""
    deadline = time.monotonic() + within
    while True:
        problem: AssertionError | None = None
        try:
            answer = await fact()
            if answer:
                return answer
        except AssertionError as error:
            problem = error
        if time.monotonic() > deadline:
            raise problem or AssertionError(f"not within {within} s: {getattr(fact, '__name__', fact)}")
        await asyncio.sleep(every)


@asynccontextmanager
async def turns() -> AsyncIterator[list[float]]:
    """Notes the time of every turn that another task on this event loop gets."""
    taken: list[float] = []

    async def take() -> None:
        while True:
            taken.append(time.monotonic())
            await asyncio.sleep(0)

    other = asyncio.create_task(take())
    try:
        yield taken
    finally:
        other.cancel()
