"""The demo from import to tables."""

from pathlib import Path

import httpx
from rich.console import Console

from consilium.demo.api import Api, Refused
from consilium.demo.outcome import NotArrived, await_outcome
from consilium.demo.people import DIRECTORY_CLERK, directory
from consilium.demo.show import show
from consilium.demo.story import tell
from consilium.importing.command import load
from consilium.importing.journal import Journal
from consilium.importing.options import Options
from consilium.importing.units import read, type_of
from consilium.local import local_base
from shared.settings import ServerSettings

OWN_DATA = Path(__file__).parent.parent / "demo_data"


async def demo(url: str | None, data: list[Path], console: Console | None = None) -> bool:
    """Tell the story against the server at ``url``; True when it came out as it should.

    Raises ``Mistake`` where no server is."""
    console = console or Console()
    base = (url or local_base(ServerSettings())).rstrip("/")
    # our own patients are few and have their own ids: sending them again does no harm
    options = Options.of(data or [OWN_DATA], url=f"{base}/fhir", token=None, again=not data)
    if not await load(options, console):
        return False
    patient = _patient(options)
    if patient is None:
        console.print("[bold red]There is no patient in these files.[/]")
        return False
    async with httpx.AsyncClient(timeout=30.0, trust_env=False) as client:
        api = Api(client, base)
        try:
            await api.transaction(DIRECTORY_CLERK, directory())
            taken = 0
            async for who, what in tell(api, patient):
                console.print(f"  [bold]{who}[/] {what}", highlight=False)
                taken += 1
            if not taken:
                console.print("The story was told before; this is how it stands.")
            outcome = await await_outcome(api, patient)
        except (Refused, NotArrived, httpx.TransportError) as error:
            console.print(f"[bold red]The story broke off.[/] {error}", highlight=False, markup=True)
            return False
    show(outcome, console)
    return True


def _patient(options: Options) -> str | None:
    """The first patient in the files, by the id that the server knows."""
    journal = Journal(options.journal, options.url)
    for unit in read(options.paths).units:
        for entry in unit.entries:
            if type_of(entry) == "Patient":
                if entry["request"]["method"] == "PUT":
                    return f"Patient/{entry['resource']['id']}"
                done = journal.done(unit.digest)
                return done.made.get(entry.get("fullUrl", "")) if done else None
    return None
