"""Scores of outcome measures and answers about self-harm. Whoever changes them holds the lock of their patient."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.store.database import Connection, Pool

# in an order that is the same for all who come
_LOCK = """
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended('outcomes of ' || patient, 0) AS key FROM unnest($1::text[]) AS patient
      ORDER BY key) AS ordered
"""
_OF = "SELECT observation, patient, measure, at, value FROM outcome_score WHERE patient = ANY ($1::text[])"
_FORGET = "DELETE FROM outcome_score WHERE observation = ANY ($1::text[])"
_KEEP = """
INSERT INTO outcome_score (observation, patient, measure, at, value)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
ON CONFLICT (observation) DO UPDATE SET patient = EXCLUDED.patient, measure = EXCLUDED.measure, at = EXCLUDED.at,
    value = EXCLUDED.value
"""
_FORGET_ANSWERS = "DELETE FROM safety_answer WHERE resource = ANY ($1::text[])"
_KEEP_ANSWERS = """
INSERT INTO safety_answer (resource, patient, at, harmless)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::boolean[])
ON CONFLICT (resource) DO UPDATE SET patient = EXCLUDED.patient, at = EXCLUDED.at, harmless = EXCLUDED.harmless
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """One score. ``observation`` is an id, ``value`` an exact fraction (``20/3``)."""

    observation: str
    patient: str
    measure: str
    at: datetime
    value: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer about self-harm, in ``QuestionnaireResponse/x`` or ``Observation/x``."""

    resource: str
    patient: str
    at: datetime
    harmless: bool


async def lock(connection: Connection, patients: Iterable[str]) -> None:
    """Let nobody else change what is kept of ``patients`` (``Patient/x``) until the transaction ends."""
    await connection.execute(_LOCK, list(patients))


async def of_patients(connection: Connection | Pool, patients: Iterable[str]) -> list[Scored]:
    """All scores of ``patients``, in no order."""
    return [Scored(**row) for row in await connection.fetch(_OF, list(patients))]


async def keep(connection: Connection, scores: Sequence[Scored], gone: Sequence[str]) -> None:
    """Store ``scores``, one for each Observation; those of the ids ``gone`` are none any more."""
    if gone:
        await connection.execute(_FORGET, list(gone))
    if scores:
        columns = ("observation", "patient", "measure", "at", "value")
        await connection.execute(_KEEP, *([getattr(each, name) for each in scores] for name in columns))


async def keep_answers(connection: Connection, answers: Sequence[Answered], gone: Sequence[str]) -> None:
    """Store ``answers``, one for each resource; in the resources ``gone`` there is none any more."""
    if gone:
        await connection.execute(_FORGET_ANSWERS, list(gone))
    if answers:
        columns = ("resource", "patient", "at", "harmless")
        await connection.execute(_KEEP_ANSWERS, *([getattr(each, name) for each in answers] for name in columns))
