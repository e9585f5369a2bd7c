"""Writes of copies that share round trips, as reads do."""

from collections.abc import Sequence

import asyncpg

from shared.store import resources
from shared.store.database import Pool
from shared.store.gathering import Gathering
from shared.store.losses import is_loss
from shared.store.write import Write


class Copier:
    """Writes copies through ``pool``, one statement at a time: two could wait for each other's rows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._gathering = Gathering(self._write, at_once=1)

    async def write(self, copy: Write) -> bool:
        """Write ``copy``. True: it is here, or a later version. False: one of those that went together was not written,
        which may be this one; look. Raises what asyncpg raises."""
        answer = await self._gathering.ask(copy)
        if isinstance(answer, asyncpg.PostgresError):
            raise answer
        return answer

    async def _write(self, copies: Sequence[Write]) -> list[bool | asyncpg.PostgresError]:
        newest = {(copy.type, copy.id): copy for copy in sorted(copies, key=lambda copy: copy.version)}
        try:
            written = await resources.write_copies(self._pool, [newest[key] for key in sorted(newest)])
        except asyncpg.PostgresError as error:
            if len(copies) == 1 or (is_loss(error) and not isinstance(error, asyncpg.TransactionRollbackError)):
                raise
            # nobody is harmed by a neighbour: whose fault it was shows when each goes alone
            return [await self._alone(copy) for copy in copies]
        return [written == len(newest)] * len(copies)

    async def _alone(self, copy: Write) -> bool | asyncpg.PostgresError:
        try:
            return bool(await resources.write_copies(self._pool, [copy]))
        except asyncpg.PostgresError as error:
            return error
