"""What is stored of one patient, by type: what rules about a whole record look at."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.fhir.json import Resource, loads
from shared.fhir.search.access import Access, condition
from shared.store.condition import as_column
from shared.store.database import Connection, Pool

MOST = 1_000
"""Resources of one type, those that came last."""
# the inner query walks along the index resource_patient and stops
_RECORD = (
    "SELECT w.type, r.body FROM unnest($1::text[]) AS w(type) CROSS JOIN LATERAL ("
    "SELECT r.rid, r.body FROM resource r WHERE r.type = w.type AND r.patient = $2::text AND NOT r.deleted AND {shown}"
    " ORDER BY r.rid DESC LIMIT $3::int) r ORDER BY w.type, r.rid"
)


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """Resources by type, in the order in which they came; of types in ``cut`` there are older ones."""

    resources: dict[str, list[Resource]]
    cut: tuple[str, ...] = ()


async def of_patient(
    connection: Connection | Pool, patient: str, types: Iterable[str], access: Access, *, most: int = MOST
) -> PatientRecord:
    """What ``access`` shows of the record of ``patient`` (an id): one statement, up to ``most`` of each type."""
    wanted = sorted(types)
    shown, more = as_column(condition(access, wanted), 4)
    rows = await connection.fetch(_RECORD.format(shown=shown), wanted, patient, most + 1, *more)
    found: dict[str, list[Resource]] = {type_: [] for type_ in wanted}
    for row in rows:
        found[row["type"]].append(loads(row["body"]))
    cut = tuple(type_ for type_, resources in found.items() if len(resources) > most)
    return PatientRecord({type_: resources[-most:] for type_, resources in found.items()}, cut)
