"""Waiting for one of several things to happen."""

import asyncio


async def either(*events: asyncio.Event, seconds: float | None = None) -> bool:
    """Wait until one of ``events`` is set, at most ``seconds``; whether one is. A cancellation that was outlived before
    ends it at once: nobody else would hear of it until then."""
    heed_cancellation()
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    return any(event.is_set() for event in events)


def heed_cancellation() -> None:
    """Raise ``CancelledError`` where the current task was cancelled.

    aiormq may answer a cancelled call with the error of its channel, and ``asyncio.wait_for`` (until Python 3.12) with
    its result. Whoever outlives such an error, or is about to wait for long, asks here first."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
