"""The board, read from ``plan_standing`` a page at a time: keysets on its indexes, nothing counted or skipped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.careplans.domain.board import SHAPES, Listing, Shape
from services.careplans.domain.standing import Standing
from services.careplans.store.plan_standings import COLUMNS
from services.careplans.store.tables import ACTIVE, FLAGGED
from shared.store.condition import Condition, as_column
from shared.store.database import Connection, Pool

Key = tuple[datetime, str]
"""Where a plan is in a list: its moment, and its id."""

_CONTACTS = """
SELECT r.patient, max(d.low) AS at FROM resource r JOIN index_date d ON d.rid = r.rid AND d.param = $2
WHERE r.type = 'Encounter' AND NOT r.deleted AND r.patient = ANY ($1::text[]) AND d.low <= $3 AND {seen}
GROUP BY r.patient
"""
_VISITS = """
SELECT m.care_plan, max(m.day) AS day FROM care_minutes m
WHERE m.care_plan = ANY ($1::text[]) AND m.kind = 'visit' AND m.minutes > 0
    AND NOT EXISTS (SELECT FROM care_minutes c WHERE c.corrects = m.id)
GROUP BY m.care_plan
"""
_ISSUES = """
SELECT r.patient, r.body FROM resource r
WHERE r.type = 'DetectedIssue' AND NOT r.deleted AND r.patient = ANY ($1::text[]) AND {seen}
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which plans of a list. References are relative; None is any."""

    discipline: str | None = None
    member: str | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A list at one moment, as one caller may see it."""

    list: Listing
    filter: Filter
    now: datetime
    seen: Condition | None = None

    @property
    def shape(self) -> Shape:
        """What is on it."""
        return SHAPES[self.list]


class _Parameters(list[Any]):
    def add(self, value: Any, cast: str) -> str:
        self.append(value)
        return f"${len(self)}::{cast}"


async def page(connection: Connection | Pool, listed: Listed, *, after: Key | None, limit: int) -> list[Standing]:
    """The next ``limit`` plans of a list behind ``after``."""
    statement, parameters = select(listed, after=after, limit=limit)
    return [_standing(row) for row in await connection.fetch(statement, *parameters)]


def key_of(standing: Standing, listed: Listed) -> Key:
    """Where ``standing`` is in a list."""
    at: datetime = getattr(standing, listed.shape.moment)
    return at, standing.care_plan


def select(listed: Listed, *, after: Key | None, limit: int) -> tuple[str, Sequence[Any]]:
    """The statement of a page, and its parameters."""
    parameters = _Parameters()
    moment = listed.shape.moment
    now = parameters.add(listed.now, "timestamptz") if listed.shape.due else ""
    where = [*_conditions(listed, parameters), *_on(listed.shape, now)]
    if after is not None:
        at, plan = parameters.add(after[0], "timestamptz"), parameters.add(after[1], "text")
        where.append(f"({moment}, care_plan) > ({at}, {plan})")
    most = parameters.add(limit, "int")
    condition = " AND ".join(where)
    return (
        f"SELECT {COLUMNS} FROM plan_standing WHERE {condition} ORDER BY {moment}, care_plan LIMIT {most}",
        parameters,
    )


async def counts(connection: Connection | Pool, listed: Listed) -> dict[Listing, int]:
    """How many are on each list, under the filter of ``listed``."""
    parameters = _Parameters()
    where = " AND ".join(_conditions(listed, parameters))
    now = parameters.add(listed.now, "timestamptz")
    columns = ", ".join(
        f"count(*) FILTER (WHERE {' AND '.join(_on(shape, now)) or 'true'})" for shape in SHAPES.values()
    )
    row = await connection.fetchrow(f"SELECT {columns} FROM plan_standing WHERE {where}", *parameters)
    assert row is not None  # an aggregate without GROUP BY has one row
    return dict(zip(SHAPES, row.values(), strict=True))


async def contacts(
    connection: Connection | Pool, patients: Iterable[str], parameter: int, until: int, seen: Condition | None
) -> dict[str, int]:
    """By patient (id), the beginning of the last Encounter, in microseconds since 1970, no later than ``until``.

    ``parameter`` is the key of the dates of Encounters."""
    text, arguments = as_column(seen, 4)
    rows = await connection.fetch(_CONTACTS.format(seen=text), list(patients), parameter, until, *arguments)
    return {row["patient"]: row["at"] for row in rows}


async def visits(connection: Connection | Pool, plans: Iterable[str]) -> dict[str, date]:
    """By plan (id), the day of the last visit in the ledger."""
    return {row["care_plan"]: row["day"] for row in await connection.fetch(_VISITS, list(plans))}


async def issues(
    connection: Connection | Pool, patients: Iterable[str], seen: Condition | None
) -> list[tuple[str, bytes]]:
    """The DetectedIssues of ``patients`` (ids), each with its patient."""
    text, arguments = as_column(seen, 2)
    rows = await connection.fetch(_ISSUES.format(seen=text), list(patients), *arguments)
    return [(row["patient"], row["body"]) for row in rows]


def _conditions(listed: Listed, parameters: _Parameters) -> list[str]:
    """What holds of every plan of a list, whichever that is."""
    found, wanted = [ACTIVE], listed.filter
    for column, value in (("disciplines", wanted.discipline), ("members", wanted.member)):
        if value is not None:
            found.append(f"{column} @> {parameters.add([value], 'text[]')}")
    if wanted.due_before is not None:
        found.append(f"next_review_at < {parameters.add(wanted.due_before, 'timestamptz')}")
    if listed.seen is not None:
        text = listed.seen.text(len(parameters) + 1)
        parameters.extend(listed.seen.arguments)
        found.append(
            f"EXISTS (SELECT FROM resource r WHERE r.type = 'CarePlan' AND r.id = plan_standing.care_plan AND {text})"
        )
    return found


def _on(shape: Shape, now: str) -> list[str]:
    held = [f"{shape.moment} <= {now}"] if shape.due else []
    return held + ([FLAGGED] if shape.flagged else [])


def _standing(row: Any) -> Standing:
    values = dict(row)
    sections = dict(zip(values.pop("sections"), values.pop("sections_at"), strict=True))
    lists = {name: tuple(values[name]) for name in ("disciplines", "members", "gaps", "flags")}
    return Standing(**values | lists, sections=sections)
