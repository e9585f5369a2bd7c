"""The write statement: resources, history, index and outbox in one round trip, by writable common table expressions.

The text is assembled from the parts that a write really has, so a plain create pays for nothing it does not use;
each shape's text is cached, so PostgreSQL's prepared plan is reused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from shared.store.indexing import NOTHING, IndexEntries, identity


@dataclass(frozen=True, slots=True)
class Write:
    """One new version of one resource. Version 1 is inserted, any other updates the version just below it."""

    type: str
    id: str
    version: int
    last_updated: datetime
    method: str
    body: bytes
    deleted: bool = False
    index: IndexEntries = NOTHING


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event to be relayed: already enveloped, opaque here."""

    event_id: str
    type: str
    subject: str
    envelope: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """``written`` resources, and the referenced ones that are ``present`` (locked against deletion)."""

    written: int
    present: frozenset[tuple[str, str]] = field(default_factory=frozenset)


_INCOMING = (
    "unnest({}::text[], {}::text[], {}::bigint[], {}::int[], {}::timestamptz[], {}::bool[], {}::text[], {}::text[],"
    " {}::text[], {}::text[], {}::text[], {}::bytea[], {}::text[])"
)
_INDEXES = {
    "dates": ("index_date", "low, high", "low, high", ("bigint", "bigint")),
    "strings": ("index_string", "value, exact", "value, exact", ("text", "bigint")),
    "quantities": ("index_quantity", "units, low, high", "units::bigint[], low, high", ("text", "numeric", "numeric")),
}


@lru_cache(maxsize=256)
def _statement(
    inserts: bool,
    updates: bool,
    indexes: tuple[str, ...],
    events: bool,
    references: bool,
    wait: bool,
    copies: bool = False,
) -> str:
    """The SQL for one shape of write. ``copies`` of what others own have no history, and versions that were missed."""
    numbers = iter(range(1, 64))

    def parameter(cast: str = "") -> str:
        return f"${next(numbers)}" + (f"::{cast}" if cast else "")

    parts = [
        "incoming AS MATERIALIZED (SELECT * FROM "
        + _INCOMING.format(*(parameter() for _ in range(13)))
        + " AS i(type, id, self, version, last_updated, deleted, patient, terms, marks, link_params, link_targets,"
        " body, method))"
    ]
    holds = "true"
    first, later = ("true", "true") if copies else ("i.version = 1", "i.version > 1")
    follows = "r.version < i.version" if copies else "r.version = i.version - 1"
    if references:
        types, ids = parameter("text[]"), parameter("text[]")
        parts.append(
            f"present AS MATERIALIZED (SELECT r.type, r.id FROM unnest({types}, {ids}) AS w(type, id)"
            " JOIN resource r ON r.type = w.type AND r.id = w.id WHERE NOT r.deleted FOR KEY SHARE OF r"
            + ("" if wait else " SKIP LOCKED")
            + ")"
        )
        holds = f"(SELECT count(*) FROM present) = cardinality({types})"
    written = []
    if inserts:
        parts.append(
            "inserted AS (INSERT INTO resource (type, id, self, version, last_updated, deleted, patient, terms, marks,"
            " link_params, link_targets, body)"
            " SELECT i.type, i.id, i.self, i.version, i.last_updated, i.deleted, i.patient, i.terms::bigint[],"
            " i.marks::bigint[], i.link_params::bigint[], i.link_targets::bigint[], i.body"
            f" FROM incoming i WHERE {first} AND {holds} ON CONFLICT DO NOTHING RETURNING rid, type, id, terms)"
        )
        written.append("SELECT rid, type, id FROM inserted")
        parts.append("new_terms AS (INSERT INTO index_term (term, rid) SELECT unnest(terms), rid FROM inserted)")
    if updates:
        parts.append(
            "previous AS MATERIALIZED (SELECT r.rid, r.terms FROM resource r JOIN incoming i USING (type, id)"
            f" WHERE {later})"
        )
        parts.append(
            "updated AS (UPDATE resource r SET version = i.version, last_updated = i.last_updated, deleted = i.deleted,"
            " patient = i.patient, terms = i.terms::bigint[], marks = i.marks::bigint[],"
            " link_params = i.link_params::bigint[], link_targets = i.link_targets::bigint[], body = i.body"
            f" FROM incoming i WHERE {later}"
            f" AND r.type = i.type AND r.id = i.id AND {follows} AND {holds}"
            " RETURNING r.rid, r.type, r.id, r.terms)"
        )
        written.append("SELECT rid, type, id FROM updated")
        # only what changed: most terms of a new version are those of the old one
        parts.append(
            "lost_terms AS (DELETE FROM index_term t USING previous p JOIN updated u USING (rid)"
            " WHERE t.rid = p.rid AND t.term = ANY (p.terms) AND NOT t.term = ANY (u.terms))"
        )
        parts.append(
            "gained_terms AS (INSERT INTO index_term (term, rid) SELECT g.term, u.rid FROM updated u"
            " JOIN previous p USING (rid), unnest(u.terms) AS g(term) WHERE NOT g.term = ANY (p.terms))"
        )
        parts.extend(
            f"old_{name} AS (DELETE FROM {table} WHERE rid IN (SELECT rid FROM updated))"
            for name, (table, *_) in _INDEXES.items()
        )
    parts.append(f"written AS MATERIALIZED ({' UNION ALL '.join(written)})")
    if not copies:
        parts.append(
            "history AS (INSERT INTO resource_history (type, id, version, last_updated, method, body)"
            " SELECT i.type, i.id, i.version, i.last_updated, i.method, i.body"
            " FROM incoming i JOIN written w USING (type, id))"
        )
    for name in indexes:
        table, columns, selected, casts = _INDEXES[name]
        arrays = ", ".join(
            [parameter("text[]"), parameter("text[]"), parameter("bigint[]")]
            + [parameter(f"{cast}[]") for cast in casts]
        )
        parts.append(
            f"{name} AS (INSERT INTO {table} (rid, param, {columns}) SELECT w.rid, n.param, {selected}"
            f" FROM unnest({arrays}) AS n(type, id, param, {columns}) JOIN written w USING (type, id))"
        )
    if events:
        arrays = ", ".join(parameter(cast) for cast in ("text[]", "text[]", "text[]", "bytea[]", "timestamptz[]"))
        parts.append(
            "events AS (INSERT INTO outbox (event_id, type, subject, envelope, created_at)"
            " SELECT e.event_id, e.type, e.subject, e.envelope, e.created_at"
            f" FROM unnest({arrays}) AS e(event_id, type, subject, envelope, created_at)"
            " WHERE EXISTS (SELECT FROM written))"
        )
    present = ", (SELECT array_agg(ARRAY[type, id]) FROM present) AS present" if references else ""
    return f"WITH {', '.join(parts)} SELECT (SELECT count(*) FROM written) AS written{present}"


def write_statement(
    writes: Sequence[Write],
    events: Sequence[OutboxRow],
    references: Sequence[tuple[str, str]],
    *,
    wait: bool = True,
    copies: bool = False,
) -> tuple[str, list[Any]]:
    """The statement and its arguments. ``references``: distinct (type, id) pairs; all exist, or nothing is written.

    What somebody is about to delete is waited for, or without ``wait`` taken for missing. ``copies`` are of resources
    that others own: whatever version is newer than what is there is written, and no history."""
    arguments: list[Any] = [
        [write.type for write in writes],
        [write.id for write in writes],
        [identity(write.type, write.id) for write in writes],
        [write.version for write in writes],
        [write.last_updated for write in writes],
        [write.deleted for write in writes],
        [write.index.patient for write in writes],
        [_array(write.index.terms) for write in writes],
        [_array(write.index.marks) for write in writes],
        [_array([param for param, _ in write.index.links]) for write in writes],
        [_array([target for _, target in write.index.links]) for write in writes],
        [write.body for write in writes],
        [write.method for write in writes],
    ]
    if references:
        arguments += [[type_ for type_, _ in references], [id_ for _, id_ in references]]
    used = []
    for name, columns in _rows(writes).items():
        if columns:
            used.append(name)
            arguments += columns
    if events:
        arguments += [
            [event.event_id for event in events],
            [event.type for event in events],
            [event.subject for event in events],
            [event.envelope for event in events],
            [event.created_at for event in events],
        ]
    inserts = copies or any(write.version == 1 for write in writes)
    updates = copies or any(write.version > 1 for write in writes)
    return _statement(inserts, updates, tuple(used), bool(events), bool(references), wait, copies), arguments


def _array(terms: Sequence[int]) -> str:
    """A PostgreSQL array literal: an array of arrays of different lengths cannot be bound."""
    return "{" + ",".join(map(str, terms)) + "}"


def _rows(writes: Sequence[Write]) -> dict[str, list[list[Any]]]:
    """The index rows of all writes, as columns."""
    dates = [(w.type, w.id, e.param, e.low, e.high) for w in writes for e in w.index.dates]
    strings = [(w.type, w.id, e.param, e.value, e.exact) for w in writes for e in w.index.strings]
    quantities = [(w.type, w.id, e.param, _array(e.units), e.low, e.high) for w in writes for e in w.index.quantities]
    return {
        "dates": [list(column) for column in zip(*dates, strict=True)],
        "strings": [list(column) for column in zip(*strings, strict=True)],
        "quantities": [list(column) for column in zip(*quantities, strict=True)],
    }
