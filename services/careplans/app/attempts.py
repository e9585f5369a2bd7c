"""Work on one record, whose breaking must not end what is done for all the others."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def attempted(work: Coroutine[Any, Any, T]) -> T | Exception:
    """The result of ``work``, or what it raised. A cancellation goes through it."""
    ended: tuple[T | BaseException] = await asyncio.gather(work, return_exceptions=True)
    (found,) = ended
    if isinstance(found, BaseException) and not isinstance(found, Exception):
        raise found
    return found
