"""The service as data."""

from pathlib import Path

from services.careplans.api import operations, proposal_operations, proposals, sources
from services.careplans.api.apply_operation import APPLY
from services.careplans.api.rest import router
from services.careplans.copies import COPIED, TELLS
from services.careplans.events.bindings import BINDINGS
from services.careplans.events.outgoing import outgoing
from services.careplans.kinds import KINDS
from services.careplans.worker import follow_waits, load_at_start, send_orders
from shared.service import Service

SERVICE = Service(
    name="careplans",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    routers=(router, proposals.router, sources.router),
    operations=(*APPLY, *proposal_operations.OPERATIONS, *operations.OPERATIONS),
    bindings=BINDINGS,
    jobs=(load_at_start, send_orders, follow_waits),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("Patient", "CarePlan", "CareTeam"),
)
