"""From the first line of a process to its last: logs, telemetry, signals, and an end that leaves nothing behind."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Collection
from contextlib import asynccontextmanager
from typing import TypeVar

from shared.doctor.variables import unknown
from shared.telemetry import setup
from shared.telemetry.logs import configure_logs
from shared.telemetry.setup import Telemetry

log = logging.getLogger(__name__)

T = TypeVar("T")

GRACE = 4.0
"""Seconds that open requests and messages in hand get when the process is told to stop."""
CANCELLED_WITHIN = 0.5
"""Seconds that those get that did not end in time, to clear up."""


class Stopped(Exception):
    """The process was told to stop before it was up; ``life`` ends well with it."""


@asynccontextmanager
async def life(name: str) -> AsyncIterator[tuple[Telemetry, asyncio.Event]]:
    """The telemetry of the process, known as ``name``, and the event that SIGTERM and SIGINT set."""
    configure_logs(name)
    for variable, nearest in unknown().items():
        log.warning("A variable is read by nothing.", extra={"variable": variable, "nearest": nearest})
    telemetry = setup.start(name)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield telemetry, stop
    except Stopped:
        log.info("told to stop before it was up")
    finally:
        telemetry.shutdown()


async def unless(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """The result of ``work``, which a start waits for. Raises ``Stopped`` where ``stop`` is set before."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            await asyncio.wait({working}, timeout=CANCELLED_WITHIN)
            raise Stopped
        return working.result()
    finally:
        working.cancel()
        stopping.cancel()


async def until(
    stop: asyncio.Event, lasting: Collection[asyncio.Task[None]], others: Collection[asyncio.Task[None]] = ()
) -> None:
    """Return when ``stop`` is set and all tasks have finished what they had in hand; late ones are cancelled.

    Raises when one of the ``lasting`` ends by itself; the ``others`` may have nothing to do and end at once."""
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({waiting, *lasting}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            failed = next(task for task in lasting if task.done())
            log.error("the %s ended unexpectedly", failed.get_name())
            failed.result()
            raise RuntimeError(f"the {failed.get_name()} ended unexpectedly")
    finally:
        waiting.cancel()
        stop.set()
        await _end([*lasting, *others])


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    _, late = await asyncio.wait(tasks, timeout=GRACE)
    for task in late:
        log.warning("the %s did not end in time", task.get_name())
        task.cancel()
    # what does not even heed that is left behind: whoever told the process to stop will not wait for it
    await asyncio.wait(tasks, timeout=CANCELLED_WITHIN)
