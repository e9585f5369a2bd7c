"""The service as data."""

from pathlib import Path

from services.careplans.api import boards, chains, charts, minutes, rest
from services.careplans.app.outcomes import PROJECTION
from services.careplans.copies import COPIED, TELLS
from services.careplans.events.bindings import BINDINGS
from services.careplans.events.outgoing import outgoing
from services.careplans.kinds import KINDS
from services.careplans.worker import fill_at_start, load_at_start, nag
from shared.service import Service

SERVICE = Service(
    name="careplans",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    projection=PROJECTION,
    routers=(boards.router, boards.revisits, minutes.of_all, charts.router, chains.router, minutes.router, rest.router),
    bindings=BINDINGS,
    jobs=(load_at_start, fill_at_start, nag),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("Patient", "CarePlan", "CareTeam"),
)
