"""The service as data: what notifications owns, says and hears."""

from pathlib import Path

from services.notifications.api.rest import router
from services.notifications.app.backlog import watch_backlog
from services.notifications.channels.stream import feed
from services.notifications.copies import COPIED, TELLS
from services.notifications.events.bindings import BINDINGS
from services.notifications.events.outgoing import outgoing
from services.notifications.kinds import KINDS
from services.notifications.retention import sweeps
from services.notifications.settings import NotificationSettings
from services.notifications.worker import deliver
from shared.service import Service

SERVICE = Service(
    name="notifications",
    kinds=KINDS,
    migrations=Path(__file__).parent / "migrations",
    outgoing=outgoing,
    routers=(router,),
    bindings=BINDINGS,
    jobs=(deliver, watch_backlog),
    sweeps=sweeps,
    settings=(NotificationSettings,),
    readers=(feed,),
    records_provenance=True,
    tells=TELLS,
    copied=COPIED,
    busiest=("Communication",),
)
