"""Keep scores and the standing of shared plans in step, in the transaction of each write, and tell what is due."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from services.careplans.domain.codes import is_shared_plan, plan_of_team, reference_of
from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.reviews import ReviewDue, causes
from services.careplans.domain.measures.self_harm import answered, patient_of, when_answered
from services.careplans.domain.measures.series import Point, Series, in_order, measure_of, moment, point
from services.careplans.domain.measures.targets import targets
from services.careplans.domain.standing import Section, Standing, stand, touched_sections
from services.careplans.domain.uncertainty import Diagnosis, diagnosis
from services.careplans.store import diagnoses, outcome_scores, plan_standings
from services.careplans.store.outcome_scores import Answered, Scored
from services.careplans.store.plan_standings import Surroundings
from shared.engine import Changed, Projection
from shared.fhir.json import Resource, loads
from shared.fhir.kinds import Fact
from shared.security.caller import Caller
from shared.store.database import Connection
from shared.store.resources import Stored

TYPES = frozenset({"CarePlan", "CareTeam", "Condition", "Goal", "Observation", "QuestionnaireResponse"})
Scores = dict[tuple[str, str], dict[str, Point]]
"""(patient, measure id) -> Observation id -> score."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be stored of a unit of work's changes."""

    scores: tuple[Scored, ...]
    no_scores: tuple[str, ...]
    answers: tuple[Answered, ...]
    no_answers: tuple[str, ...]


def concerns(changed: Changed) -> bool:
    """Whether the tables follow from this change: shared plans, their teams, goals, scores, answers about self-harm."""
    versions = [each for each in (changed.before, changed.after) if each is not None]
    match changed.stored.type:
        case "CarePlan":
            return any(map(is_shared_plan, versions))
        case "CareTeam":
            return any(plan_of_team(each) is not None for each in versions)
        case "Goal":
            return True
        case "Condition":
            return any(diagnosis(each, "", 0) is not None for each in versions)
        case "Observation":
            return any(measure_of(each) is not None or answered(each) is not None for each in versions)
        case _:
            return any(answered(each) is not None for each in versions)


async def follow(connection: Connection, changes: Sequence[Changed], caller: Caller) -> list[tuple[Fact, Stored]]:
    """Bring the tables in step with ``changes``; the reviews that are due because of them."""
    patients = sorted({patient for changed in changes for patient in _patients(changed)})
    if not patients:
        return []
    await outcome_scores.lock(connection, patients)
    kept = _kept(changes)
    await outcome_scores.keep_answers(connection, kept.answers, kept.no_answers)
    await diagnoses.keep(connection, *_uncertain(changes))
    changed = {each.stored.id for each in changes if each.stored.type == "CarePlan"}
    plans = await plan_standings.surroundings(connection, patients, changed)
    # without a plan nobody asks what was there before
    before = by_measure(await outcome_scores.of_patients(connection, {plan.patient for plan in plans}) if plans else ())
    await outcome_scores.keep(connection, kept.scores, kept.no_scores)
    after = _after(before, kept)
    now = changes[-1].stored.last_updated
    touched = _touched(changes)
    await plan_standings.keep(
        connection, [_standing(plan, after, touched.get(plan.patient, {}), now) for plan in plans]
    )
    stored = {f"Observation/{each.stored.id}": each.stored for each in changes if each.stored.type == "Observation"}
    return [told for plan in plans if plan.current for told in _reviews(plan, before, after, now, stored)]


async def restand(connection: Connection, patients: Sequence[str], now: datetime, *, plan: str | None = None) -> None:
    """Bring the standing of the plans of ``patients`` (``Patient/x``) in step with what is kept beside them; and of
    ``plan`` (an id), current or not."""
    await outcome_scores.lock(connection, sorted(patients))
    scores = by_measure(await outcome_scores.of_patients(connection, patients))
    plans = await plan_standings.surroundings(connection, patients, [plan] if plan else ())
    await plan_standings.keep(connection, [_standing(plan, scores, {}, now) for plan in plans])


PROJECTION = Projection(TYPES, follow, concerns)


def by_measure(scored: Sequence[Scored]) -> Scores:
    """The scores by patient and measure."""
    found: Scores = {}
    for each in scored:
        known = found.setdefault((each.patient, each.measure), {})
        known[each.observation] = Point(each.at, Fraction(each.value), f"Observation/{each.observation}")
    return found


def series_of(scores: Mapping[tuple[str, str], Mapping[str, Point]], patient: str) -> list[Series]:
    """The rows of scores of one patient, by measure."""
    return [
        Series(BY_ID[measure], in_order(points.values()))
        for (whose, measure), points in sorted(scores.items())
        if whose == patient and points and measure in BY_ID
    ]


def _patients(changed: Changed) -> Iterator[str]:
    for version in (changed.before, changed.after):
        patient = None if version is None else patient_of(version)
        if patient is not None:
            yield patient


def _kept(changes: Sequence[Changed]) -> Kept:
    scores: dict[str, Scored | None] = {}
    answers: dict[str, Answered | None] = {}
    new: set[str] = set()
    for changed in changes:
        stored = changed.stored
        reference = f"{stored.type}/{stored.id}"
        if changed.before is None:
            new.add(reference)
        if stored.type == "Observation":
            scores[stored.id] = _scored(stored.id, changed.after)
        if stored.type in ("Observation", "QuestionnaireResponse"):
            answers[reference] = _answered(reference, changed.after, stored.last_updated)
    return Kept(
        tuple(each for each in scores.values() if each is not None),
        tuple(id_ for id_, each in scores.items() if each is None and f"Observation/{id_}" not in new),
        tuple(each for each in answers.values() if each is not None),
        tuple(reference for reference, each in answers.items() if each is None and reference not in new),
    )


def _scored(id_: str, observation: Resource | None) -> Scored | None:
    measure = None if observation is None else measure_of(observation)
    patient = None if observation is None else patient_of(observation)
    if observation is None or measure is None or patient is None:
        return None
    found = point(measure, observation | {"id": id_})
    return Scored(id_, patient, measure.id, found.at, str(found.value)) if isinstance(found, Point) else None


def _answered(reference: str, resource: Resource | None, now: datetime) -> Answered | None:
    found = answered(resource)
    patient = None if resource is None else patient_of(resource)
    if resource is None or found is None or patient is None:
        return None
    return Answered(reference, patient, moment(when_answered(resource)) or now, not found)


def _uncertain(changes: Sequence[Changed]) -> tuple[list[Diagnosis], list[str]]:
    """The uncertain diagnoses among the changed Conditions, and the ids of those that are none."""
    conditions = [each for each in changes if each.stored.type == "Condition"]
    found = {each.stored.id: diagnosis(each.after, each.stored.id, each.stored.version) for each in conditions}
    gone = [id_ for id_, each in found.items() if each is None]
    return [each for each in found.values() if each is not None], gone


def _after(before: Scores, kept: Kept) -> Scores:
    changed = {each.observation for each in kept.scores} | set(kept.no_scores)
    after = {key: {id_: each for id_, each in points.items() if id_ not in changed} for key, points in before.items()}
    for key, points in by_measure(kept.scores).items():
        after.setdefault(key, {}).update(points)
    return after


def _touched(changes: Sequence[Changed]) -> dict[str, dict[str, datetime]]:
    """By patient, the sections that the changes touch, and when."""
    found: dict[str, dict[str, datetime]] = {}
    for changed in changes:
        match changed.stored.type:
            case "CarePlan" | "CareTeam":
                names = list(touched_sections(changed.before, changed.after))
            case "Goal":
                names = [Section.GOALS.value]
            case _:
                names = []
        for patient in _patients(changed):
            found.setdefault(patient, {}).update(dict.fromkeys(names, changed.stored.last_updated))
    return found


def _standing(plan: Surroundings, scores: Scores, touched: dict[str, datetime], now: datetime) -> Standing:
    return stand(
        loads(plan.plan),
        None if plan.team is None else loads(plan.team),
        [loads(goal) for goal in plan.goals],
        series_of(scores, plan.patient),
        now=now,
        harmless=plan.harmless,
        last_review_at=plan.last_review_at,
        uncertain=plan.uncertain,
        touched=plan.touched | touched,
    )


def _reviews(
    plan: Surroundings, before: Scores, after: Scores, now: datetime, stored: Mapping[str, Stored]
) -> Iterator[tuple[ReviewDue, Stored]]:
    """The reviews that are due, each with the newest of the scores that call for it."""
    body = loads(plan.plan)
    named = {reference_of(each) for each in body.get("goal") or ()}
    wanted = targets(goal for goal in map(loads, plan.goals) if f"Goal/{goal['id']}" in named)
    since = moment((body.get("period") or {}).get("start"))
    for of in series_of(after, plan.patient):
        was = in_order(before.get((plan.patient, of.measure.id), {}).values())
        found = causes(was, of.points, of.measure, target=wanted.get(of.measure.id), since=since, now=now)
        newest = next((point for point in reversed(of.points) if point.reference in stored), None)
        if found and newest is not None:
            fact = ReviewDue(f"CarePlan/{body['id']}", plan.patient, of.measure.id, found, newest.at)
            yield fact, stored[newest.reference]
