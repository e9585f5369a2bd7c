"""The service as data."""

from pathlib import Path

from services.careplans.api import hooks, rest, safety
from services.careplans.copies import COPIED, TELLS
from services.careplans.events.bindings import BINDINGS
from services.careplans.events.outgoing import outgoing
from services.careplans.kinds import KINDS
from services.careplans.worker import keep_findings, load_at_start
from shared.service import Service

SERVICE = Service(
    name="careplans",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    routers=(rest.router, safety.router),
    roots=(hooks.router,),
    bindings=BINDINGS,
    jobs=(load_at_start, keep_findings),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("Patient", "CarePlan", "CareTeam"),
)
