"""A process to be killed: it relays or consumes, says on its output when it has reached the place, and hangs there."""

import asyncio
import sys
from collections.abc import Sequence

from shared.messaging.envelope import Event
from shared.messaging.relay import Relay
from shared.store.database import open_pool
from tests.integration.messaging.support import QUICK, Carrier, effect_once


async def hang() -> None:
    """Say that the place is reached, and stay there."""
    print("reached", flush=True)
    await asyncio.Event().wait()


async def main(role: str, kind: str, bus: str, word: str, database: str) -> None:
    """``relay`` hangs between confirm and mark, ``consumer`` between commit and ack."""
    carrier, pool = Carrier(kind, bus, word), await open_pool(database, size=4)
    transport = await carrier.transport()
    if role == "relay":

        async def confirmed(_: Sequence[str]) -> None:
            await hang()

        await Relay(pool, transport, QUICK, confirmed=confirmed).run(asyncio.Event())
    else:

        async def committed(_: Event) -> None:
            await hang()

        await transport.consume(carrier.queue(), effect_once(pool, committed), prefetch=4, stop=asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6]))
