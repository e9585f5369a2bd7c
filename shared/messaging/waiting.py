"""Waiting for one of several things to happen."""

import asyncio


async def either(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Return when one of ``events`` is set, or after ``seconds``."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
