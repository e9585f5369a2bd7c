"""The Provenances of some versions of a plan and its team, in one query."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.fhir.json import Resource, loads
from shared.fhir.search.extract import reference_term
from shared.store.condition import Condition
from shared.store.database import Connection, Pool

# whoever records a write is stored in the same moment as what it writes
_OF_VERSIONS = (
    "SELECT r.body FROM index_term d JOIN resource r ON r.rid = d.rid AND r.type = 'Provenance'"
    " WHERE d.term = ANY ($1::bigint[]) AND r.last_updated = ANY ($2::timestamptz[]) AND NOT r.deleted"
)


async def of_versions(
    connection: Connection | Pool,
    targets: Iterable[tuple[str, str]],
    moments: Sequence[datetime],
    *,
    seen: Condition | None = None,
) -> list[Resource]:
    """What was recorded of versions of ``targets`` (type and id) that were stored at ``moments``."""
    terms = [reference_term(type_, id_) for type_, id_ in targets]
    shown, arguments = (f" AND {seen.text(3)}", seen.arguments) if seen else ("", ())
    rows = await connection.fetch(_OF_VERSIONS + shown, terms, list(moments), *arguments)
    return [loads(row["body"]) for row in rows]
