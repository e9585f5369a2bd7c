"""Reads that share round trips: what is asked for while others are under way goes out together as the next query.

A read never joins a query that was already sent, so it sees everything that was committed before it was asked for.
Alone it costs what a plain read costs; sixteen at a time cost a third each (docs/adr/0005-speed.md).
"""

import asyncio

from shared.store import resources
from shared.store.database import Pool
from shared.store.resources import Stored

Asked = tuple[str, str, "asyncio.Future[Stored | None]"]


class Reader:
    """Reads current versions through ``pool``, at most ``at_once`` queries at a time and ``most`` resources in each."""

    def __init__(self, pool: Pool, *, at_once: int = 2, most: int = 64) -> None:
        self._pool = pool
        self._at_once = at_once
        self._most = most
        self._under_way = 0
        self._waiting: list[Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self, type_: str, id_: str) -> Stored | None:
        """The current version, a deletion included; None if there never was one."""
        if self._under_way < self._at_once:
            self._under_way += 1
            try:
                return await resources.read(self._pool, type_, id_)
            finally:
                self._under_way -= 1
                self._go_on()
        answer: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((type_, id_, answer))
        return await answer

    def _go_on(self) -> None:
        """Send what has gathered, if there is room."""
        if self._waiting and self._under_way < self._at_once:
            asked, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._under_way += 1
            task = asyncio.create_task(self._together(asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _together(self, asked: list[Asked]) -> None:
        try:
            rows = await resources.read_many(self._pool, {(type_, id_) for type_, id_, _ in asked})
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked, not to this task
            for _, _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
        else:
            found = {(stored.type, stored.id): stored for stored in rows}
            for type_, id_, answer in asked:
                if not answer.done():
                    answer.set_result(found.get((type_, id_)))
        finally:
            self._under_way -= 1
            self._go_on()
