"""How shared plans stand: what that is made of, read in one statement, and the rows of the board.

Whoever writes holds the locks of the patients (``outcome_scores.lock``)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from services.careplans.domain.standing import Standing
from services.careplans.domain.uncertainty import Uncertain
from shared.store.database import Connection, Pool

COLUMNS = """
    care_plan, patient, status, version, disciplines, members, open_activities, activities, goals, gaps, flags,
    sections, sections_at, last_score_at, last_review_at, next_review_at, unmeasured_at, gap_at, stale_at
"""
_NAMES = tuple(COLUMNS.replace(",", " ").split())
_KEEP = f"""
INSERT INTO plan_standing ({COLUMNS}) VALUES ({", ".join(f"${place}" for place in range(1, len(_NAMES) + 1))})
ON CONFLICT (care_plan) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _NAMES[1:])}
"""
_SURROUNDINGS = """
SELECT s.patient, s.current, p.body AS plan, t.body AS team, b.sections, b.sections_at,
    (SELECT max(m.day) FROM care_minutes m
     WHERE m.care_plan = s.care_plan AND m.kind = 'plan-review' AND m.minutes > 0
        AND NOT EXISTS (SELECT FROM care_minutes c WHERE c.corrects = m.id)) AS last_review,
    (SELECT array_agg(g.body) FROM resource g
     WHERE g.type = 'Goal' AND g.patient = split_part(s.patient, '/', 2) AND NOT g.deleted) AS goals,
    (SELECT a.harmless FROM safety_answer a WHERE a.patient = s.patient ORDER BY a.at DESC, a.harmless LIMIT 1)
        AS harmless,
    u.revisit_by, coalesce(u.overdue, false) AS overdue, coalesce(u.undated, false) AS undated,
    coalesce(u.unflagged, false) AS unflagged
FROM shared_plan s
JOIN resource p ON p.type = 'CarePlan' AND p.id = s.care_plan AND NOT p.deleted
LEFT JOIN resource t ON t.type = 'CareTeam' AND t.id = s.care_team AND NOT t.deleted
LEFT JOIN plan_standing b ON b.care_plan = s.care_plan
LEFT JOIN LATERAL (
    SELECT min(d.revisit_by) AS revisit_by, bool_or(d.told_for = d.revisit_by) AS overdue,
        bool_or(d.revisit_by IS NULL) AS undated, bool_or(d.red_flags = 0) AS unflagged
    FROM uncertain_diagnosis d WHERE d.patient = s.patient) u ON true
WHERE (s.current AND s.patient = ANY ($1::text[])) OR s.care_plan = ANY ($2::text[])
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a shared plan's standing is made of, but for the scores; bodies as they are stored."""

    patient: str
    current: bool
    plan: bytes
    team: bytes | None
    goals: tuple[bytes, ...]
    touched: dict[str, datetime]
    last_review_at: datetime | None
    harmless: bool | None
    uncertain: Uncertain


async def surroundings(
    connection: Connection | Pool, patients: Iterable[str], plans: Iterable[str] = ()
) -> list[Surroundings]:
    """Those of the current shared plans of ``patients`` (``Patient/x``), and of ``plans`` (ids), current or not."""
    rows = await connection.fetch(_SURROUNDINGS, list(patients), list(plans))
    return [
        Surroundings(
            row["patient"],
            row["current"],
            row["plan"],
            row["team"],
            tuple(row["goals"] or ()),
            dict(zip(row["sections"] or (), row["sections_at"] or (), strict=True)),
            _end_of(row["last_review"]),
            row["harmless"],
            Uncertain(row["revisit_by"], row["overdue"], row["undated"], row["unflagged"]),
        )
        for row in rows
    ]


def _end_of(day: date | None) -> datetime | None:
    """Scores of the day of a review were seen at it."""
    return None if day is None else datetime.combine(day, time.max, UTC)


async def keep(connection: Connection, standings: Sequence[Standing]) -> None:
    """Store how plans stand."""
    if len(standings) == 1:
        await connection.execute(_KEEP, *_values(standings[0]))
    elif standings:
        await connection.executemany(_KEEP, [_values(each) for each in standings])


def _values(standing: Standing) -> list[object]:
    own = {"sections": list(standing.sections), "sections_at": list(standing.sections.values())}
    return [own.get(name, getattr(standing, name, None)) for name in _NAMES]
