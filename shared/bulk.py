"""The worker's loop over jobs of bulk data. Any number of workers run it; a job is in one worker's hands at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from shared.engine import Engine
from shared.fhir.bulk.exporting import export
from shared.fhir.bulk.importing import import_
from shared.fhir.bulk.settings import REMEMBERED
from shared.ids import uuid7
from shared.messaging.waiting import either
from shared.store import job_files, jobs
from shared.store.jobs import Job, Status
from shared.store.losses import DATABASE_LOSSES
from shared.store.sweeping import Sweep
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

LOOK = 0.5
"""Seconds between looks for a job, while there is none."""


class Turn(Protocol):
    """Work at a job for a while."""

    def __call__(
        self, engine: Engine, job: Job, holder: str, stop: asyncio.Event, *, lease: timedelta
    ) -> Awaitable[None]: ...


KINDS: Mapping[str, Turn] = {"export": export, "import": import_}


async def work(engine: Engine, stop: asyncio.Event, *, look: float = LOOK, lease: timedelta = jobs.LEASE) -> None:
    """The worker's job: one job after the other, a turn at each, until ``stop``."""
    while not stop.is_set():
        try:
            found = await turn(engine, stop, lease=lease)
        except DATABASE_LOSSES as error:
            log.warning("bulk data waits: %s", class_of(error))
            found = False
        if not found:
            await either(stop, seconds=look)


async def turn(engine: Engine, stop: asyncio.Event, *, lease: timedelta = jobs.LEASE) -> bool:
    """One turn at the job that waited longest; False where none waits.

    Raises what a lost database does. A job that breaks is tried again when its lease has ended, and given up as failed
    after a few times."""
    holder = uuid7()
    job = await jobs.claim(engine.pool, holder, lease)
    if job is None:
        return False
    if job.status is Status.FAILED:
        log.error("a job of bulk data was given up", extra={"kind": job.kind})
        return True
    working = asyncio.ensure_future(KINDS[job.kind](engine, job, holder, stop, lease=lease))
    try:
        await asyncio.wait([working])
    finally:
        working.cancel()
    error = working.exception()
    if isinstance(error, DATABASE_LOSSES):
        raise error
    if error is not None:
        log.error("a turn at a job of bulk data broke: %s", class_of(error), extra={"kind": job.kind})
    return True


def sweeps() -> Iterable[Sweep]:
    """What every service lets go of: files of jobs that have expired."""
    yield Sweep("bulk data", job_files.expiring(REMEMBERED), timedelta(minutes=10))
