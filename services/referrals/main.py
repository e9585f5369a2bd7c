"""The service as data."""

from pathlib import Path

from services.referrals.api import matching, rest, worklists
from services.referrals.api.operations import OPERATIONS
from services.referrals.app.following import FOLLOWING
from services.referrals.app.funnel import observe
from services.referrals.copies import COPIED, TELLS
from services.referrals.events.bindings import BINDINGS
from services.referrals.events.outgoing import outgoing
from services.referrals.kinds import KINDS
from services.referrals.settings import PlaceSettings
from services.referrals.worker import keep_clocks
from shared.service import Service

SERVICE = Service(
    name="referrals",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    observe=observe,
    projection=FOLLOWING,
    routers=(matching.router, worklists.router, rest.router),
    operations=OPERATIONS,
    bindings=BINDINGS,
    jobs=(keep_clocks,),
    settings=(PlaceSettings,),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("ServiceRequest", "Task"),
)
