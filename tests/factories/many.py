"""Very many resources without writing each: a few templates, multiplied inside the database."""

from collections.abc import Sequence

from shared.fhir.json import Resource, dumps
from shared.fhir.search.extract import extract
from shared.store.database import Connection

_TABLES = """
CREATE TEMP TABLE template (k INT, type TEXT, id TEXT, patient TEXT, terms BIGINT[], marks BIGINT[], body BYTEA);
CREATE TEMP TABLE template_date (k INT, param BIGINT, low BIGINT, high BIGINT);
CREATE TEMP TABLE template_string (k INT, param BIGINT, value TEXT, exact BIGINT);
CREATE TEMP TABLE template_quantity (k INT, param BIGINT, units BIGINT[], low NUMERIC, high NUMERIC)
"""
_MULTIPLY = """
INSERT INTO resource
  (type, id, self, version, last_updated, deleted, patient, terms, marks, link_params, link_targets, body)
  SELECT t.type, t.id || '-' || n, n, 1, timestamptz '2024-01-01Z' + n * interval '1 second', false,
         t.patient || '-' || n / {ten}, t.terms, t.marks, '{{}}', '{{}}', t.body
  FROM generate_series(1, {count}) n JOIN template t ON t.k = n % {templates} ORDER BY n;
CREATE TEMP TABLE made AS SELECT rid, split_part(id, '-', -1)::bigint AS n FROM resource;
INSERT INTO index_term (term, rid) SELECT u.term, r.rid FROM resource r, unnest(r.terms) AS u(term) ORDER BY 1, 2;
INSERT INTO index_date (param, rid, low, high)
  SELECT d.param, m.rid, d.low + m.n * 600000000, d.high + m.n * 600000000
  FROM made m JOIN template_date d ON d.k = m.n % {templates};
INSERT INTO index_string (param, rid, value, exact)
  SELECT s.param, m.rid, s.value || ' ' || m.n, s.exact FROM made m JOIN template_string s ON s.k = m.n % {templates};
INSERT INTO index_quantity (param, rid, units, low, high)
  SELECT q.param, m.rid, q.units, q.low + m.n % 1000, q.high + m.n % 1000
  FROM made m JOIN template_quantity q ON q.k = m.n % {templates};
ANALYZE
"""


async def multiply(connection: Connection, templates: Sequence[Resource], count: int, *, per_patient: int = 10) -> None:
    """Fill an empty store with ``count`` resources, each like one of ``templates`` in turn.

    Number n has the template's terms; its id and strings end in n, its patient in n / ``per_patient``, its dates are n
    times ten minutes later, its quantities n % 1000 larger. It refers to nothing that could be followed."""
    for statement in _TABLES.split(";"):
        await connection.execute(statement)
    for number, resource in enumerate(templates):
        found = extract(resource)
        await connection.execute(
            "INSERT INTO template VALUES ($1, $2, $3, $4, $5, $6, $7)",
            number,
            resource["resourceType"],
            resource["id"],
            found.patient,
            found.terms,
            found.marks,
            dumps(resource),
        )
        await connection.executemany(
            "INSERT INTO template_date VALUES ($1, $2, $3, $4)", [(number, d.param, d.low, d.high) for d in found.dates]
        )
        await connection.executemany(
            "INSERT INTO template_string VALUES ($1, $2, $3, $4)",
            [(number, s.param, s.value, s.exact) for s in found.strings],
        )
        await connection.executemany(
            "INSERT INTO template_quantity VALUES ($1, $2, $3, $4, $5)",
            [(number, q.param, q.units, q.low, q.high) for q in found.quantities],
        )
    for statement in _MULTIPLY.format(count=count, templates=len(templates), ten=per_patient).split(";"):
        await connection.execute(statement)
