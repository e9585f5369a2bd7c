"""``Bundle.total`` (http://hl7.org/fhir/R4/search.html#total): counted, or estimated where that is asked for."""

from shared.fhir.json import loads
from shared.fhir.search.query import Query
from shared.fhir.search.statement import count_statement, estimate_statement
from shared.store.database import Connection, Pool

COUNTED = 10_000
"""An estimate is the count itself below this number; above, it is what the planner expects, and not less than this."""


async def total_of(connection: Connection | Pool, query: Query) -> int:
    """How many resources match, whatever page of them is asked for."""
    most = COUNTED if query.estimate else None
    statement, arguments = count_statement(query, most=most)
    total: int = await connection.fetchval(statement, *arguments)
    if most is None or total < most:
        return total
    statement, arguments = estimate_statement(query)
    [plan] = loads(await connection.fetchval(statement, *arguments))
    return max(total, int(plan["Plan"]["Plan Rows"]))
