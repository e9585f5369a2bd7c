"""Who wants to change the same plan takes turns inside a process before it asks for a database connection.

The row's lock orders them in any case. But each that waits for it holds a connection of the pool, and those who change
other plans would wait with them."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """A lock by key, for as long as somebody wants it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """The lock of ``key``: keep it while it is needed."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
