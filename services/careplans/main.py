"""The service as data."""

from pathlib import Path

from services.careplans.api import hooks, operations, proposal_operations, proposals, rest, safety, sources
from services.careplans.api.apply_operation import APPLY
from services.careplans.copies import COPIED, TELLS
from services.careplans.events.bindings import BINDINGS
from services.careplans.events.outgoing import outgoing
from services.careplans.kinds import KINDS
from services.careplans.worker import follow_waits, keep_findings, load_at_start, send_orders
from shared.service import Service

SERVICE = Service(
    name="careplans",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    routers=(rest.router, proposals.router, sources.router, safety.router),
    roots=(hooks.router,),
    operations=(*APPLY, *proposal_operations.OPERATIONS, *operations.OPERATIONS),
    bindings=BINDINGS,
    jobs=(load_at_start, send_orders, follow_waits, keep_findings),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("Patient", "CarePlan", "CareTeam"),
)
