"""Writes that share round trips: what is ready while others are under way goes out together as the next statement.

It is for units of work that need no transaction of their own. Alone, one costs what a plain statement costs; sixteen at
a time share its start, its round trip and its flush to disk (docs/adr/0005-speed.md). Nobody is harmed by a neighbour:
a shared statement waits for no lock; who refers to what is missing or being deleted tries again alone, and so does each
after an error of the statement.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.store import resources
from shared.store.database import Pool
from shared.store.losses import is_loss
from shared.store.write import OutboxRow, Outcome, Write


@dataclass(frozen=True, slots=True)
class Unit:
    """What is written whole or not at all. The resources' ids are new, so that nothing can collide."""

    writes: Sequence[Write]
    events: Sequence[OutboxRow]
    references: Sequence[tuple[str, str]]
    """All of these exist, or nothing of this unit is written."""

    @property
    def size(self) -> int:
        """Bytes of its bodies."""
        return sum(len(write.body) for write in self.writes)


Waiting = tuple[Unit, "asyncio.Future[Outcome]"]


class Writer:
    """Writes through ``pool``: ``at_once`` statements at a time, of up to ``most`` resources or ``largest`` bytes."""

    def __init__(self, pool: Pool, *, at_once: int = 2, most: int = 64, largest: int = 1_000_000) -> None:
        self._pool = pool
        self._at_once = at_once
        self._most = most
        self._largest = largest
        self._under_way = 0
        self._waiting: list[Waiting] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, unit: Unit) -> Outcome:
        """Write ``unit``, or nothing where a reference is missing; compare ``Outcome.written``.

        A caller that gives up may come too late to stop it. Raises what asyncpg raises."""
        if len(unit.writes) > self._most or unit.size > self._largest:
            return await self._statement([unit], wait=True)
        outcome = await self._shared(unit)
        if not outcome.present.issuperset(unit.references):
            # missing, or being deleted: whoever waits for the end of that does so beside the places that others need
            return await self._statement([unit], wait=True)
        return outcome

    async def _shared(self, unit: Unit) -> Outcome:
        if self._under_way < self._at_once:
            self._under_way += 1
            try:
                return await self._statement([unit])
            finally:
                self._under_way -= 1
                self._go_on()
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, done))
        return await done

    def _go_on(self) -> None:
        """Send what has gathered, if there is room."""
        if self._waiting and self._under_way < self._at_once:
            self._under_way += 1
            task = asyncio.create_task(self._together(self._next()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self) -> list[Waiting]:
        """The next units that fit in one statement."""
        resources_, bytes_, taken = 0, 0, 0
        for unit, _ in self._waiting:
            resources_, bytes_ = resources_ + len(unit.writes), bytes_ + unit.size
            if taken and (resources_ > self._most or bytes_ > self._largest):
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _together(self, group: list[Waiting]) -> None:
        try:
            await self._write(group)
        finally:
            self._under_way -= 1
            self._go_on()

    async def _write(self, group: list[Waiting]) -> None:
        """Write the units of ``group`` and tell each how it went."""
        try:
            outcome = await self._statement([unit for unit, _ in group])
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait, not to this task
            # rolled back, or never sent: whose fault it was shows when each goes alone. What was lost may be stored.
            if len(group) > 1 and (not is_loss(error) or isinstance(error, asyncpg.TransactionRollbackError)):
                for one in group:
                    await self._write([one])
                return
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        missing = {key for unit, _ in group for key in unit.references} - outcome.present
        complete = outcome.written == sum(len(unit.writes) for unit, _ in group)
        held_up = [one for one in group if missing and missing.isdisjoint(one[0].references)]
        for one in group:
            unit, done = one
            if one not in held_up and not done.done():
                done.set_result(Outcome(len(unit.writes) if complete else 0, outcome.present))
        if held_up:
            await self._write(held_up)

    async def _statement(self, units: Sequence[Unit], *, wait: bool = False) -> Outcome:
        return await resources.write(
            self._pool,
            [write for unit in units for write in unit.writes],
            [event for unit in units for event in unit.events],
            list(dict.fromkeys(key for unit in units for key in unit.references)),
            wait=wait,
        )
