"""The service as data."""

from pathlib import Path

from services.careplans.api import (
    boards,
    chains,
    charts,
    hooks,
    minutes,
    operations,
    proposal_operations,
    proposals,
    rest,
    safety,
    sources,
)
from services.careplans.api.apply_operation import APPLY
from services.careplans.app.outcomes import PROJECTION
from services.careplans.copies import COPIED, TELLS
from services.careplans.events.bindings import BINDINGS
from services.careplans.events.outgoing import outgoing
from services.careplans.kinds import KINDS
from services.careplans.worker import fill_at_start, follow_waits, keep_findings, load_at_start, nag, send_orders
from shared.service import Service

SERVICE = Service(
    name="careplans",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    projection=PROJECTION,
    routers=(
        *(boards.router, boards.revisits, minutes.of_all),
        *(rest.router, charts.router, chains.router, minutes.router, proposals.router, sources.router, safety.router),
    ),
    roots=(hooks.router,),
    operations=(*APPLY, *proposal_operations.OPERATIONS, *operations.OPERATIONS),
    bindings=BINDINGS,
    jobs=(load_at_start, fill_at_start, nag, send_orders, follow_waits, keep_findings),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("Patient", "CarePlan", "CareTeam"),
)
