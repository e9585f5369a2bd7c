"""What a RabbitMQ cluster costs: ``python -m bench.cluster``. The relay's rate into one node's queue and into three's.

The nodes share this machine, so three of them do thrice the work on the same cores: the ratio is a lower bound of what
machines of their own would reach.
"""

import argparse
import asyncio
import json
import os
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

import asyncpg

from bench.events import relay_rate
from services.referrals.main import SERVICE
from shared.messaging.transports.rabbitmq import RabbitTransport
from shared.process.databases import create_missing, database_urls
from shared.process.migrating import migrate
from shared.store.embedded import embedded_postgres
from tests.broker import Broker

OUT = Path(__file__).parent / "out" / "cluster.json"
NODES = 3


async def main(rounds: int) -> None:
    """Measure in turn, print, write."""
    with ExitStack() as stack:
        alone = stack.enter_context(closing(Broker()))
        nodes = [stack.enter_context(closing(Broker()))]
        nodes += [stack.enter_context(closing(Broker(beside=nodes[0]))) for _ in range(NODES - 1)]
        for node in (alone, *nodes):
            await asyncio.to_thread(node.start)
        data = stack.enter_context(tempfile.TemporaryDirectory(prefix="consilium-cluster-", ignore_cleanup_errors=True))
        os.chmod(data, 0o755)
        url = stack.enter_context(embedded_postgres(Path(data) / "postgres"))
        databases = database_urls(url, [SERVICE.name], base="bench")
        await create_missing(databases)
        await migrate([SERVICE], databases)
        urls = {"one node": alone.url, "three nodes": ",".join(node.url for node in nodes)}
        rates: dict[str, list[float]] = {name: [] for name in urls}
        for _ in range(rounds):
            for name, amqp_url in urls.items():
                rates[name].append(await _rate(databases[SERVICE.name], amqp_url))
    ratios = [three / one for one, three in zip(rates["one node"], rates["three nodes"], strict=True)]
    figures = {
        "events_per_s": {name: round(median(values)) for name, values in rates.items()},
        "ratio": round(median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


async def _rate(outbox_url: str, amqp_url: str) -> float:
    connection = await asyncpg.connect(outbox_url)
    await connection.execute("TRUNCATE outbox")
    await connection.close()
    transport = RabbitTransport(amqp_url)
    try:
        return await relay_rate(outbox_url, transport)
    finally:
        await transport.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench.cluster")
    arguments.add_argument("--rounds", type=int, default=3)
    asyncio.run(main(arguments.parse_args().rounds))
