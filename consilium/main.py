"""The ``consilium`` command line."""

import logging
from typing import Annotated

import typer

from consilium.commands import backup, dead, demo, doctor, import_, keys, log_level, migrate, restore, run, token

OURS = frozenset({"consilium", "services", "shared"})

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"consilium {version('consilium')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """FHIR-integrated care coordination for chronic pain."""
    # the handler of those who configured none: a command tells in its own words what libraries would log beside it
    if logging.lastResort is not None:
        logging.lastResort.addFilter(_is_ours)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


app.command("run")(run.command)
app.command("migrate")(migrate.command)
app.command("import")(import_.command)
app.command("demo")(demo.command)
app.command("token")(token.command)
app.command("keys")(keys.command)
app.command("backup")(backup.command)
app.command("restore")(restore.command)
app.command("doctor")(doctor.command)
app.command("log-level")(log_level.command)
app.add_typer(dead.app, name="dead")
