"""The service as data."""

from pathlib import Path

from services.referrals.api import bulk, filters, matching, notes, rest, worklists
from services.referrals.api.operations import OPERATIONS
from services.referrals.app.exchange_start import PROJECTION
from services.referrals.app.funnel import observe
from services.referrals.copies import COPIED, TELLS
from services.referrals.events.bindings import BINDINGS
from services.referrals.events.outgoing import outgoing
from services.referrals.kinds import KINDS
from services.referrals.retention import ReferralRetentionSettings, sweeps
from services.referrals.settings import ExchangeSettings, PlaceSettings
from services.referrals.worker import exchange, keep_clocks
from shared.service import Service

SERVICE = Service(
    name="referrals",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    observe=observe,
    projection=PROJECTION,
    routers=(matching.router, worklists.router, filters.router, bulk.router, rest.router, notes.router),
    operations=OPERATIONS,
    bindings=BINDINGS,
    jobs=(keep_clocks, exchange),
    sweeps=sweeps,
    settings=(PlaceSettings, ExchangeSettings, ReferralRetentionSettings),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("ServiceRequest", "Task"),
)
