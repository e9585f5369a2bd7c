"""Worklists, read from ``referral`` a page at a time: keysets on the table's indexes, nothing counted or skipped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from services.referrals.domain.standing import Standing
from services.referrals.domain.worklists import SHAPES, Order, Shape, Worklist
from services.referrals.store.referrals import COLUMNS
from services.referrals.store.tables import IS_OFFERED, OFFERED, OPEN, RETURNED, UNANSWERED
from shared.store.database import Connection, Pool

Key = tuple[int | datetime | str, ...]
"""The values of a row by which a list is ordered."""

KEYS: dict[Order, tuple[tuple[str, str], ...]] = {
    Order.OLDEST: (("since", "timestamptz"), ("task", "text")),
    Order.PRESSING: (("priority", "smallint"), ("since", "timestamptz"), ("task", "text")),
    Order.DUE: (("due_at", "timestamptz"), ("task", "text")),
}
"""Column and type of what each order goes by."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which referrals of a list. References are relative; None and () are any."""

    status: tuple[str, ...] = ()
    business_status: tuple[str, ...] = ()
    discipline: str | None = None
    priority: int | None = None
    patient: str | None = None
    service_request: str | None = None
    requester: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as one caller has it at one moment: ``mine`` are the references that stand for the caller."""

    list: Worklist
    filter: Filter
    now: datetime
    mine: frozenset[str] = frozenset()
    only: str | None = None
    """A patient, who sees what is for them or to be done by them."""

    @property
    def shape(self) -> Shape:
        """What is on it."""
        return SHAPES[self.list]


class _Parameters(list[Any]):
    def add(self, value: Any, cast: str) -> str:
        self.append(value)
        return f"${len(self)}::{cast}"


async def page(connection: Connection | Pool, listed: Listed, *, after: Key | None, limit: int) -> list[Standing]:
    """The next ``limit`` referrals of a list behind ``after``."""
    statement, parameters = select(listed, after=after, limit=limit)
    return [Standing(**row) for row in await connection.fetch(statement, *parameters)]


def key_of(standing: Standing, order: Order) -> Key:
    """Where ``standing`` is in a list."""
    return tuple(getattr(standing, column) for column, _ in KEYS[order])


def select(listed: Listed, *, after: Key | None, limit: int) -> tuple[str, Sequence[Any]]:
    """The statement of a page, and its parameters.

    What has several values (statuses, one's own references) is one walk through an index for each, merged: one walk
    for all would read them all to sort them."""
    parameters = _Parameters()
    keys = KEYS[listed.shape.order]
    order = ", ".join(column for column, _ in keys)
    where = conditions(listed, parameters)
    if after is not None:
        values = ", ".join(parameters.add(value, cast) for value, (_, cast) in zip(after, keys, strict=True))
        where.append(f"({order}) > ({values})")
    most = parameters.add(limit, "int")
    walks = []
    for walk in _walks(listed, parameters):
        condition = " AND ".join([*where, *walk]) or "true"
        walks.append(f"(SELECT {COLUMNS} FROM referral WHERE {condition} ORDER BY {order} LIMIT {most})")
    if len(walks) == 1:
        return walks[0][1:-1], parameters
    # a referral that one has asked for and owns is in two walks
    return f"SELECT * FROM ({' UNION '.join(walks)}) AS walk ORDER BY {order} LIMIT {most}", parameters


def conditions(listed: Listed, parameters: _Parameters) -> list[str]:
    """What holds of every referral of a list, but for what ``_walks`` has."""
    shape, found = listed.shape, list[str]()
    if shape.unanswered:
        found.append(UNANSWERED)
    elif shape.returned:
        found.append(RETURNED)
    elif shape.offered:
        found += [IS_OFFERED, f"{OFFERED} && {parameters.add(sorted(listed.mine), 'text[]')}"]
    elif shape.open:
        found.append(OPEN)
    if shape.overdue:
        found.append(f"due_at < {parameters.add(listed.now, 'timestamptz')}")
    for column in ("discipline", "patient", "service_request", "requester", "owner"):
        value = getattr(listed.filter, column)
        if value is not None:
            found.append(f"{column} = {parameters.add(value, 'text')}")
    if listed.filter.priority is not None:
        found.append(f"priority = {parameters.add(listed.filter.priority, 'smallint')}")
    if listed.filter.business_status:
        found.append(f"business_status = ANY ({parameters.add(list(listed.filter.business_status), 'text[]')})")
    return found


def _walks(listed: Listed, parameters: _Parameters) -> list[list[str]]:
    """The conditions of each walk."""
    either: list[list[str]] = []
    if listed.filter.status:
        either.append([f"status = {parameters.add(status, 'text')}" for status in listed.filter.status])
    if listed.shape.mine:
        references = [parameters.add(reference, "text") for reference in sorted(listed.mine)]
        own = [f"{column} = {each}" for column in ("owner", "requester") for each in references]
        either.append(own or ["false"])
    if listed.only is not None:
        only = parameters.add(listed.only, "text")
        either.append([f"patient = {only}", f"owner = {only}"])
    return [list(walk) for walk in product(*either)]


async def counts(connection: Connection | Pool, listed: Listed) -> dict[Worklist, int]:
    """How many are on each list of open referrals, under the filter of ``listed``; ``mine`` has its own."""
    parameters = _Parameters()
    where = conditions(listed, parameters)
    walks = [" AND ".join([*where, *walk]) for walk in _walks(listed, parameters)]
    now = parameters.add(listed.now, "timestamptz")
    columns = ", ".join(f"count(*) FILTER (WHERE {_on(SHAPES[list_], now)})" for list_ in COUNTED)
    distinct = "UNION" if len(walks) > 1 else "UNION ALL"
    source = f" {distinct} ".join(
        f"SELECT task, waits_for, due_at, returned_at FROM referral WHERE {walk}" for walk in walks
    )
    row = await connection.fetchrow(f"SELECT {columns} FROM ({source}) AS counted", *parameters)
    assert row is not None  # an aggregate without GROUP BY has one row
    return dict(zip(COUNTED, row.values(), strict=True))


COUNTED = (Worklist.OPEN, Worklist.AWAITING_TRIAGE, Worklist.OVERDUE, Worklist.SILENT, Worklist.RETURNED)
"""The lists that every open referral is on or not, whoever asks."""


def _on(shape: Shape, now: str) -> str:
    held = [UNANSWERED] if shape.unanswered else []
    held += [f"due_at < {now}"] if shape.overdue else []
    held += [RETURNED] if shape.returned else []
    return " AND ".join(held) or "true"
