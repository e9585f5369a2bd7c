"""Reads that share round trips. Alone, one costs what a plain read costs; sixteen at a time cost a third each
(docs/adr/0005-speed.md)."""

from collections.abc import Sequence

from shared.store import resources
from shared.store.database import Pool
from shared.store.gathering import MOST, Gathering
from shared.store.resources import Stored


class Reader:
    """Reads current versions through ``pool``, at most ``at_once`` queries at a time and ``most`` resources in each."""

    def __init__(self, pool: Pool, *, at_once: int = 2, most: int = MOST) -> None:
        self._pool = pool
        self._gathering = Gathering(self._read, at_once=at_once, most=most)

    async def read(self, type_: str, id_: str) -> Stored | None:
        """The current version, a deletion included; None if there never was one."""
        return await self._gathering.ask((type_, id_))

    async def _read(self, keys: Sequence[tuple[str, str]]) -> list[Stored | None]:
        if len(keys) == 1:
            return [await resources.read(self._pool, *keys[0])]
        found = {(stored.type, stored.id): stored for stored in await resources.read_many(self._pool, set(keys))}
        return [found.get(key) for key in keys]
