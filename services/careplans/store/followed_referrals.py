"""What is known of the referrals that plans follow. The caller holds the lock on the plan's row."""

from services.careplans.domain.referral import Referral
from shared.store.database import Connection, Pool

_COLUMNS = """
    task, version, patient, status, business_status, service_request, discipline, owner, outputs, accepted_at, ended_at
"""
_PLAN_OF = "SELECT care_plan FROM followed_referral WHERE task = $1"
_OF_PLAN = f"SELECT {_COLUMNS} FROM followed_referral WHERE care_plan = $1 ORDER BY task"
_KEEP = f"""
INSERT INTO followed_referral (care_plan, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (task) DO UPDATE SET version = EXCLUDED.version, patient = EXCLUDED.patient, status = EXCLUDED.status,
    business_status = EXCLUDED.business_status, service_request = EXCLUDED.service_request,
    discipline = EXCLUDED.discipline, owner = EXCLUDED.owner, outputs = EXCLUDED.outputs,
    accepted_at = EXCLUDED.accepted_at, ended_at = EXCLUDED.ended_at
"""


async def plan_of(connection: Connection, task: str) -> str | None:
    """The id of the plan that follows the referral, or None."""
    plan: str | None = await connection.fetchval(_PLAN_OF, task)
    return plan


async def of_plan(connection: Connection | Pool, care_plan: str) -> dict[str, Referral]:
    """All referrals that the plan follows, by Task."""
    rows = await connection.fetch(_OF_PLAN, care_plan)
    return {row["task"]: Referral(**{**row, "outputs": tuple(row["outputs"])}) for row in rows}


async def keep(connection: Connection, care_plan: str, referral: Referral) -> None:
    """Store what is known of ``referral``, for the plan ``care_plan``."""
    await connection.execute(
        _KEEP,
        care_plan,
        referral.task,
        referral.version,
        referral.patient,
        referral.status,
        referral.business_status,
        referral.service_request,
        referral.discipline,
        referral.owner,
        list(referral.outputs),
        referral.accepted_at,
        referral.ended_at,
    )
