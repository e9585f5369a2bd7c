"""Fill the tables beside the resource store from what was stored before they were there, beside the traffic.

Rows are locked while they are read, so a write at the same moment comes before or after, and is not undone. Nothing is
told: what was there before is no news."""

from collections.abc import Sequence

from services.careplans.app.outcomes import concerns
from services.careplans.store import filling
from services.careplans.store.filling import Batch
from shared.engine import Changed, Engine
from shared.fhir.json import loads
from shared.security.caller import internal

BATCH = 500
ME = internal("careplans")
ORDER = ("Observation", "QuestionnaireResponse", "Condition", "CarePlan")
"""Scores first: a plan stands as its scores have it. Teams and goals are looked up with their plan."""


async def fill(engine: Engine, *, limit: int = BATCH) -> bool:
    """Take the next ``limit`` resources; whether there may be more. Several workers go one after the other."""
    assert engine.projection is not None
    async with engine.pool.acquire() as connection, connection.transaction():
        batch = await filling.next_batch(connection, ORDER, limit)
        if batch is None:
            return False
        changes = _changes(batch)
        if changes:
            await engine.projection.keep(connection, changes, ME)
        await filling.went(connection, batch, done=batch.seen < limit)
        return True


def _changes(batch: Batch) -> Sequence[Changed]:
    found = [Changed(None, loads(stored.body), stored, ()) for stored in batch.rows]
    return [changed for changed in found if concerns(changed)]
