"""Who takes part in a patient's care, kept from referral events in whatever order they come."""

from services.notifications.domain.team import Referral
from shared.store.database import Connection

_LEARN = """
INSERT INTO referral_party (task, version, patient, service_request, parties, members) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (task) DO UPDATE SET version = excluded.version, patient = excluded.patient,
    service_request = excluded.service_request, parties = excluded.parties, members = excluded.members
WHERE referral_party.version < excluded.version
"""

_TEAM = """
SELECT DISTINCT member FROM referral_party r, unnest(r.members) AS member
WHERE r.patient = $1 AND NOT EXISTS (
    SELECT FROM referral_party p WHERE p.patient = $1 AND p.service_request = $2 AND member = ANY(p.parties))
"""


async def learn(connection: Connection, referral: Referral) -> None:
    """Keep what ``referral`` says, unless a later version of it was heard."""
    await connection.execute(
        _LEARN,
        referral.task,
        referral.version,
        referral.patient,
        referral.service_request,
        list(referral.parties),
        list(referral.members),
    )


async def team(connection: Connection, patient: str, *, without: str | None) -> tuple[str, ...]:
    """Those who take part, but for the parties to the referral with ServiceRequest ``without``: they hear directly."""
    return tuple(row[0] for row in await connection.fetch(_TEAM, patient, without))
