"""Connection pools, watched: how many connections there are, and how many are at work."""

from collections.abc import Iterable
from typing import Protocol
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Meter, Observation

_STATE, _NAME = "db.client.connection.state", "db.client.connection.pool.name"


class Sized(Protocol):
    """What an asyncpg pool tells of itself."""

    def get_size(self) -> int: ...
    def get_idle_size(self) -> int: ...
    def get_max_size(self) -> int: ...


_pools: WeakKeyDictionary[Sized, str] = WeakKeyDictionary()


def watch_pool(pool: Sized, name: str) -> None:
    """Tell of ``pool`` for as long as it lives."""
    _pools[pool] = name


def name_of(pool: object) -> str:
    """The name that ``pool`` is watched under; empty for one that is not."""
    return _pools.get(pool, "")  # type: ignore[call-overload,no-any-return]  # anything may be asked for


def pool_gauges(meter: Meter) -> None:
    """The gauges (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/)."""
    meter.create_observable_gauge("db.client.connection.count", [_connections], unit="{connection}")
    meter.create_observable_gauge("db.client.connection.max", [_most], unit="{connection}")


def _connections(options: CallbackOptions) -> Iterable[Observation]:
    for pool, name in list(_pools.items()):
        size, idle = pool.get_size(), pool.get_idle_size()
        yield Observation(size - idle, {_STATE: "used", _NAME: name})
        yield Observation(idle, {_STATE: "idle", _NAME: name})


def _most(options: CallbackOptions) -> Iterable[Observation]:
    return [Observation(pool.get_max_size(), {_NAME: name}) for pool, name in list(_pools.items())]
