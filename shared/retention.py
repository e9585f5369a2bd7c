"""How long a service keeps what it stores, and the job that lets go of the rest (docs/adr/0012-retention.md)."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from pydantic import Field, model_validator

from shared.engine import Engine
from shared.fhir.search.extract import reference_term
from shared.ids import uuid7
from shared.messaging import inbox, outbox
from shared.messaging.waiting import either
from shared.settings import ConsiliumSettings
from shared.store import decisions, forgetting
from shared.store.database import Pool
from shared.store.losses import DATABASE_LOSSES
from shared.store.sweeping import Sweep, sweep
from shared.telemetry.failures import class_of
from shared.telemetry.measures import RETENTION_DELETED, RETENTION_FAILURES, RETENTION_OVERDUE
from shared.telemetry.pools import name_of

log = logging.getLogger(__name__)

LOOK = 60.0
"""Seconds between looks at what is due."""
MARGIN = timedelta(hours=1)
"""By which clocks of different machines may differ."""
LONGEST = 36_500
"""Days: a century. PostgreSQL knows no moment that is some thousand years ago."""


class RetentionSettings(ConsiliumSettings):
    """How long things are kept, in days. What has no default is kept for ever unless an operator says otherwise."""

    retention_outbox_days: int = Field(default=7, ge=1, le=LONGEST)
    """Published events: from them a lost queue is filled again."""
    retention_dead_letter_days: int = Field(default=60, ge=1, le=LONGEST)
    """How old a dead letter may be when it is replayed; the inbox must still know what was handled."""
    retention_inbox_days: int = Field(default=90, ge=3, le=LONGEST)
    """Handled events. Older ones are refused, as nobody knows any more whether they were handled."""
    retention_history_days: int | None = Field(default=None, ge=1, le=LONGEST)
    """Versions of resources, after they were replaced. The current version is always kept."""
    retention_deleted_days: int | None = Field(default=None, ge=1, le=LONGEST)
    """What was in a resource, after its deletion. That it was there and was deleted is always kept."""
    retention_audit_days: int | None = Field(default=None, ge=1, le=LONGEST)
    """AuditEvents, after which they are removed altogether, unless something refers to them."""

    @model_validator(mode="after")
    def _inbox_remembers_longest(self) -> Self:
        if self.retention_inbox_days <= self.retention_outbox_days + self.retention_dead_letter_days:
            raise ValueError(
                "CONSILIUM_RETENTION_INBOX_DAYS must be more than CONSILIUM_RETENTION_OUTBOX_DAYS and"
                " CONSILIUM_RETENTION_DEAD_LETTER_DAYS together: a replayed event would be handled twice"
            )
        return self

    @property
    def remembered(self) -> timedelta:
        """How old an event may be to be handled: what the inbox of every consumer knows for certain."""
        return timedelta(days=self.retention_inbox_days) - MARGIN


def sweeps(settings: RetentionSettings) -> Iterable[Sweep]:
    """What every service lets go of."""
    published = timedelta(days=settings.retention_outbox_days)
    yield Sweep("outbox", lambda connection, after: outbox.prune_window(connection, after, published), _OFTEN)
    yield decisions.refusals_forgotten()
    yield Sweep("inbox", inbox.forgetting(timedelta(days=settings.retention_inbox_days)))
    if settings.retention_history_days is not None:
        yield Sweep("history", forgetting.replaced_versions(timedelta(days=settings.retention_history_days)), _DAILY)
    if settings.retention_deleted_days is not None:
        after = timedelta(days=settings.retention_deleted_days)
        yield Sweep("history of deleted", forgetting.versions_of_deleted(after), _DAILY)
    if settings.retention_audit_days is not None:
        after = timedelta(days=settings.retention_audit_days)
        yield Sweep("AuditEvent", forgetting.whole_resources("AuditEvent", after, reference_term), _DAILY)


_OFTEN, _DAILY = timedelta(minutes=5), timedelta(days=1)


async def retain(engine: Engine, own: Iterable[Sweep], stop: asyncio.Event, *, look: float = LOOK) -> None:
    """The worker's job: each sweep when it is due, one by one, until ``stop``. Any number of workers do it."""
    kept = (*sweeps(RetentionSettings()), *own)
    holder = uuid7()
    for one in kept:
        RETENTION_DELETED.expect(name_of(engine.pool), one.name)
        RETENTION_FAILURES.expect(name_of(engine.pool), one.name)
    while not stop.is_set():
        await _tell_overdue(engine.pool, kept)
        await either(stop, seconds=look)
        if stop.is_set() or not await _clocks_agree(engine):
            continue
        for one in kept:
            await _sweep(engine.pool, one, holder, stop)


async def _tell_overdue(pool: Pool, kept: Iterable[Sweep]) -> None:
    """For how long each sweep has been due. One that nobody began yet will be at the next look."""
    try:
        rows = await pool.fetch(
            "SELECT name, greatest(extract(epoch FROM clock_timestamp() - due_at), 0)::float AS overdue"
            " FROM retention_sweep"
        )
    except DATABASE_LOSSES as error:
        log.warning("retention could not be measured: %s", class_of(error))
        return
    overdue = {row["name"]: row["overdue"] for row in rows}
    for one in kept:
        RETENTION_OVERDUE.set(overdue.get(one.name, 0.0), name_of(pool), one.name)


async def _clocks_agree(engine: Engine) -> bool:
    """Whether the database's clock, by which everything is too old or not, can be believed: ours says the same."""
    try:
        theirs: datetime = await engine.pool.fetchval("SELECT clock_timestamp()")
    except DATABASE_LOSSES as error:
        log.warning("retention waits: %s", class_of(error))
        return False
    agree = abs(engine.clock() - theirs) <= MARGIN
    if not agree:
        log.error("retention waits: the clocks of the database and of this process differ by more than an hour")
    return agree


async def _sweep(pool: Pool, one: Sweep, holder: str, stop: asyncio.Event) -> None:
    if stop.is_set():
        return
    try:
        deleted = await sweep(pool, one, holder, stop)
    except DATABASE_LOSSES as error:
        log.warning("the sweep of %s waits: %s", one.name, class_of(error))
        RETENTION_FAILURES.add(name_of(pool), one.name)
        return
    if deleted:
        log.info("retention let go of %d rows: %s", deleted, one.name)
