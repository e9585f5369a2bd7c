"""Who takes part in a patient's care, kept from referral events in whatever order they come."""

from services.notifications.domain.team import Referral
from shared.store.database import Connection

_LEARN = """
INSERT INTO referral_party (task, version, event_id, patient, service_request, parties, members)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (task) DO UPDATE SET version = excluded.version, event_id = excluded.event_id, patient = excluded.patient,
    service_request = excluded.service_request, parties = excluded.parties, members = excluded.members
WHERE referral_party.version < excluded.version
"""

_TEAM = """
SELECT DISTINCT member FROM referral_party r, unnest(r.members) AS member
WHERE r.patient = $1 AND NOT EXISTS (
    SELECT FROM referral_party p
    WHERE p.patient = $1 AND (p.service_request = $2 OR p.event_id = $3) AND member = ANY(p.parties))
"""


async def learn(connection: Connection, referral: Referral, event_id: str) -> None:
    """Keep what ``referral`` says in event ``event_id``, unless a later version of it was heard."""
    await connection.execute(
        _LEARN,
        referral.task,
        referral.version,
        event_id,
        referral.patient,
        referral.service_request,
        list(referral.parties),
        list(referral.members),
    )


async def team(
    connection: Connection, patient: str, *, service_request: str | None, cause: str | None
) -> tuple[str, ...]:
    """Those who take part, but for the parties to the referral that it is about: they hear of that directly.

    The referral is the one with ``service_request``, or the one that event ``cause`` told of."""
    return tuple(row[0] for row in await connection.fetch(_TEAM, patient, service_request, cause))
