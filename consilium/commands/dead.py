"""``consilium dead``: messages that were given up. Shows codes and times; a message's body only when asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from shared.messaging.transport import DeadLetter, Transport
    from shared.settings import ServerSettings

T = TypeVar("T")
WIDTH = 300
"""Characters of a line, at most."""
NOTHING_RAN = "Nothing ran on these databases yet, so no message was given up."

app = typer.Typer(
    help="Events that a service gave up after several attempts: list, show, replay.", no_args_is_help=True
)


@app.command("list")
def list_(queue: Annotated[str | None, typer.Argument(help="One queue; all without it.")] = None) -> None:
    """List dead letters, oldest first."""
    from rich.console import Console
    from rich.table import Table

    from shared.errors import NotFound
    from shared.messaging.dead import list_dead

    async def work(transport: "Transport") -> list["DeadLetter"]:
        found: list[DeadLetter] = []
        for name in _queues(queue):
            try:
                found += await list_dead(transport, name)
            except NotFound:
                # our own queues are declared by the first run: before it they are empty
                if queue is not None:
                    raise
        return found

    letters = _with_transport(work)
    table = Table("queue", "event", "type", "reason", "attempts", "last failed", box=None, pad_edge=False)
    for letter in letters:
        failed = f"{letter.last_failed_at:%Y-%m-%d %H:%M:%S}" if letter.last_failed_at else ""
        table.add_row(letter.queue, letter.id, letter.type, letter.reason, str(letter.attempts), failed)
    # as wide as it needs: `show` and `replay` want queue and event whole, and a terminal wraps what it cannot show
    Console(width=WIDTH).print(table if letters else "No dead letters.")


@app.command()
def show(
    queue: Annotated[str, typer.Argument(help="As `list` names it.")],
    event: Annotated[str, typer.Argument(help="As `list` names it.")],
) -> None:
    """Show one dead letter with its body."""
    from shared.messaging.dead import show_dead

    letter = _with_transport(lambda transport: show_dead(transport, queue, event))
    for name in ("id", "queue", "type", "reason", "attempts", "first_failed_at", "last_failed_at", "traceparent"):
        typer.echo(f"{name}: {getattr(letter, name)}")
    typer.echo(letter.body.decode(errors="replace"))


@app.command()
def replay(
    queue: Annotated[str, typer.Argument(help="As `list` names it.")],
    event: Annotated[list[str] | None, typer.Argument(help="Events of that queue; all without any.")] = None,
) -> None:
    """Deliver dead letters again, with a clean record."""
    from shared.messaging.dead import replay_dead

    count = _with_transport(lambda transport: replay_dead(transport, queue, event or None))
    typer.echo(f"{count} on their way again" if count else "Nothing to replay: no such dead letters.")


def _queues(queue: str | None) -> list[str]:
    if queue is not None:
        return [queue]
    from consilium.assembly import SERVICES

    return [binding.queue for service in SERVICES for binding in service.bindings]


def _with_transport(work: Callable[["Transport"], Awaitable[T]]) -> T:
    from consilium.mistakes import reported
    from shared.errors import ConsiliumError

    async def main() -> T:
        async with _transport() as transport:
            return await work(transport)

    try:
        with reported("Not asked."):
            return asyncio.run(main())
    except ConsiliumError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@asynccontextmanager
async def _transport() -> AsyncIterator["Transport"]:
    """The transport of this installation: the broker, or the bus database, whether or not somebody runs."""
    import asyncpg

    from shared.messaging.transports.in_process import open_in_process
    from shared.messaging.transports.rabbitmq import RabbitTransport
    from shared.process.databases import BUS, UNREACHABLE, database_urls
    from shared.process.mistakes import Mistake
    from shared.settings import ServerSettings
    from shared.store.database import open_pool

    settings = ServerSettings()
    async with AsyncExitStack() as stack:
        if settings.amqp_url:
            transport: Transport = RabbitTransport(settings.amqp_url)
        else:
            urls = await _databases(settings, stack)
            try:
                pool = await open_pool(database_urls(urls, [BUS])[BUS], size=2)
            except asyncpg.InvalidCatalogNameError as error:
                raise Mistake(NOTHING_RAN) from error
            except UNREACHABLE as error:
                raise Mistake("The database cannot be reached.") from error
            transport = await open_in_process(pool)
        stack.push_async_callback(transport.close)
        yield transport


async def _databases(settings: "ServerSettings", stack: AsyncExitStack) -> str:
    """The databases' URL (with ``{service}``). Where nobody runs, the embedded server is started for ``stack``."""
    from consilium.embedding import BASE, EmbeddedServer
    from consilium.installation import exclusive, running_on, tell_resting
    from shared.process.databases import template
    from shared.process.mistakes import Mistake

    if settings.database_url is not None:
        return template(settings.database_url)
    running = running_on(settings.data_dir)
    if running is not None and running.databases is not None:
        return running.databases
    if not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        raise Mistake(NOTHING_RAN)
    stack.enter_context(exclusive(settings.data_dir, "consilium dead"))
    tell_resting(settings.data_dir)
    embedded = stack.enter_context(EmbeddedServer(settings.data_dir / "postgres"))
    return template(await embedded.url(), base=BASE)
