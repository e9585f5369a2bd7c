"""The ``consilium`` command line."""

import typer

from consilium.commands import dead, demo, import_, migrate, run, token

app = typer.Typer(
    help="FHIR-integrated care coordination for chronic pain.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command("run")(run.command)
app.command("migrate")(migrate.command)
app.command("import")(import_.command)
app.command("demo")(demo.command)
app.command("token")(token.command)
app.add_typer(dead.app, name="dead")
