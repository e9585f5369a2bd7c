"""How PostgreSQL finds the Provenances of a plan's versions among 100,000: along indexes, and not those of others."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.careplans.store import plan_accounts
from shared.engine import Engine
from shared.fhir.search.extract import reference_term
from tests.integration.test_history_plans import Explaining, nodes

ROWS, PLANS = 100_000, 1_000
START = datetime(2026, 1, 1, tzinfo=UTC)
# a hundred of each plan, one after the other
_FILL = """
WITH made AS (
    INSERT INTO resource (type, id, self, version, last_updated, deleted, terms, marks, link_params, link_targets, body)
    SELECT 'Provenance', 'v' || n, -n, 1, $2::timestamptz + n * interval '1 second', false, '{}', '{}', '{}', '{}',
        convert_to('{"n":' || n || '}', 'UTF8')
    FROM generate_series(1, $1::int) n RETURNING rid, self
)
INSERT INTO index_term (term, rid) SELECT ($3::bigint[])[1 + (-self) % $4], rid FROM made
"""


async def test_the_accounts_of_versions_are_found_along_indexes(engine: Engine) -> None:
    terms = [reference_term("CarePlan", f"p{number}") for number in range(PLANS)]
    await engine.pool.execute(_FILL, ROWS, START, terms, PLANS)
    await engine.pool.execute("ANALYZE resource")
    await engine.pool.execute("ANALYZE index_term")
    mine = [START + timedelta(seconds=7 + PLANS * number) for number in range(50)]
    explaining: Any = Explaining(engine.pool)
    found = await plan_accounts.of_versions(explaining, [("CarePlan", "p7")], [*mine, START])
    assert sorted(each["n"] for each in found) == [7 + PLANS * number for number in range(50)]
    told = nodes(explaining.plans[0])
    assert not [each for each in told if each["Node Type"] == "Seq Scan"], told
    assert max(each["Actual Rows"] * each["Actual Loops"] for each in told) <= 200, told
