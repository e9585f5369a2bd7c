"""Which plan is the patient's shared one, race-free: the row is the lock on which all workers line up."""

from dataclasses import dataclass

from shared.store.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """The ids of a patient's shared plan and of its team. Neither resource need exist yet."""

    care_plan: str
    patient: str
    care_team: str


_CLAIM = (
    "INSERT INTO shared_plan (care_plan, patient, care_team, current) VALUES ($1, $2, $3, true)"
    " ON CONFLICT (patient) WHERE current DO UPDATE SET current = true"
    " RETURNING care_plan, patient, care_team"
)
_RETIRE = "UPDATE shared_plan SET current = false WHERE care_plan = $1"
_LOCK = "SELECT care_plan, patient, care_team FROM shared_plan WHERE care_plan = $1 FOR UPDATE"
_FIND = "SELECT care_plan, patient, care_team FROM shared_plan WHERE patient = $1 AND current"
_FIND_TEAM = "SELECT care_team FROM shared_plan WHERE care_plan = $1"


async def claim(connection: Connection, patient: str, *, care_plan: str, care_team: str) -> SharedPlan:
    """The patient's current plan, locked until the transaction ends; with the ids given where there was none.

    Two claims for one patient line up: the second waits for the first and then sees its ids."""
    row = await connection.fetchrow(_CLAIM, care_plan, patient, care_team)
    assert row is not None, "an upsert returns its row"
    return SharedPlan(*row)


async def succeed(connection: Connection, ended: SharedPlan, *, care_plan: str, care_team: str) -> SharedPlan:
    """Retire a plan that has ended and make the next one current. The caller holds the lock on ``ended``."""
    await connection.execute(_RETIRE, ended.care_plan)
    return await claim(connection, ended.patient, care_plan=care_plan, care_team=care_team)


async def lock(connection: Connection, care_plan: str) -> SharedPlan:
    """A shared plan's row, current or not, locked until the transaction ends. It must exist."""
    row = await connection.fetchrow(_LOCK, care_plan)
    assert row is not None, "a followed referral's plan has its row (foreign key)"
    return SharedPlan(*row)


async def find(connection: Connection | Pool, patient: str) -> SharedPlan | None:
    """The patient's current shared plan, or None."""
    row = await connection.fetchrow(_FIND, patient)
    return None if row is None else SharedPlan(*row)


async def team_of(connection: Connection | Pool, care_plan: str) -> str | None:
    """The id of the team of a shared plan; None for a plan that is no shared one."""
    team: str | None = await connection.fetchval(_FIND_TEAM, care_plan)
    return team
