"""The causal chain of a plan: activities, their requests, Tasks and reports, and what the measures did meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.careplans.app.measures import Score, score_of, scores_of
from services.careplans.app.queries import require_view
from services.careplans.app.timeline import versions_of
from services.careplans.domain.chain import ABOUT, About, Link, Meanwhile, chain
from services.careplans.domain.codes import reference_of
from services.careplans.store import followed_referrals
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search.access import condition
from shared.reading import current
from shared.security.caller import Caller
from shared.store import resources

VERSIONS = 500
"""Of the plan, the newest that are looked at for when an activity changed its status."""
REPORTS = frozenset({"DiagnosticReport", "DocumentReference", "Observation", "QuestionnaireResponse", "Procedure"})
"""Types of ours that a report may be, and of which it is told when it was made."""


@dataclass(frozen=True, slots=True)
class StateOf:
    """A status, and since when."""

    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What an activity led to. ``status`` and ``date`` are null where it is not in the shared record, or not to be
    seen."""

    reference: str
    status: str | None
    date: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A measure in the time of an activity. ``unknown`` says why there is no change to tell."""

    measure: str
    title: str
    about: tuple[About, ...]
    before: Score | None
    first_since: Score | None
    latest_since: Score | None
    absolute: float | None
    response: str | None
    source: str | None
    unknown: str | None
    says: str


@dataclass(frozen=True, slots=True)
class Chained:
    """One activity. ``request`` and ``task`` live in referrals: they are named here and read there."""

    activity: str | None
    title: str | None
    request: str | None
    task: str | None
    discipline: str | None
    status: str | None
    states: tuple[StateOf, ...]
    begun: datetime | None
    ended: datetime | None
    reports: tuple[Report, ...]
    beside: tuple[str, ...]
    measures: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """All of them. ``complete`` is false where older versions of the plan, or older scores, were not looked at."""

    care_plan: str
    patient: str | None
    complete: bool
    activities: tuple[Chained, ...]


async def chain_of(
    engine: Engine, caller: Caller, plan_id: str, *, task: str | None = None, about: About | None = None
) -> Chain:
    """The chain of a plan, or of the activity that follows ``task`` alone; measures that speak of ``about`` alone.

    Raises ``NotFound`` or ``Gone``."""
    stored = await current(engine, caller, "CarePlan", plan_id)
    plan: Resource = loads(stored.body)
    patient = reference_of(plan.get("subject"))
    require_view(caller, patient)
    versions = await versions_of(engine, "CarePlan", plan_id, VERSIONS)
    told = [(past.stored.last_updated, loads(past.stored.body)) for past in versions if not past.stored.deleted]
    referrals = await followed_referrals.of_plan(engine.pool, plan_id)
    complete, series = await scores_of(engine, caller, patient)
    wanted = [of for id_, of in series.items() if about is None or about in ABOUT[id_]]
    links = chain(told or [(stored.last_updated, plan)], referrals.values(), wanted)
    kept = [link for link in links if task is None or link.task == task]
    reports = await _reports(engine, caller, {report for link in kept for report in link.reports})
    return Chain(
        f"CarePlan/{plan_id}",
        patient,
        complete and bool(versions) and versions[0].stored.version == 1,
        tuple(_chained(link, reports) for link in kept),
    )


async def _reports(engine: Engine, caller: Caller, references: Iterable[str]) -> dict[str, Report]:
    parts = (reference.split("/") for reference in references)
    keys = sorted({(part[0], part[1]) for part in parts if len(part) > 1 and part[0] in REPORTS})
    if not keys:
        return {}
    seen = condition(engine.access(caller), {type_ for type_, _ in keys})
    found = await resources.read_many(engine.pool, keys, seen=seen)
    return {f"{each.type}/{each.id}": _report(loads(each.body)) for each in found if not each.deleted}


def _report(resource: Resource) -> Report:
    stated = (resource.get(name) for name in ("effectiveDateTime", "issued", "date", "authored", "performedDateTime"))
    date = next((text for text in stated if isinstance(text, str)), None)
    return Report(f"{resource['resourceType']}/{resource['id']}", resource.get("status"), date)


def _chained(link: Link, reports: dict[str, Report]) -> Chained:
    return Chained(
        activity=link.activity,
        title=link.title,
        request=link.request,
        task=link.task,
        discipline=link.discipline,
        status=link.status,
        states=tuple(StateOf(state.status, state.at) for state in link.states),
        begun=link.begun,
        ended=link.ended,
        reports=tuple(reports.get("/".join(each.split("/")[:2]), Report(each, None, None)) for each in link.reports),
        beside=link.beside,
        measures=tuple(map(_change, link.measures)),
    )


def _change(of: Meanwhile) -> Change:
    apart = None if of.before is None or of.latest is None else float(of.latest.value - of.before.value)
    return Change(
        measure=of.measure.id,
        title=of.measure.title,
        about=tuple(sorted(ABOUT[of.measure.id])),
        before=score_of(of.measure, of.before),
        first_since=score_of(of.measure, of.first),
        latest_since=score_of(of.measure, of.latest),
        absolute=None if apart is None else round(apart, 2),
        response=of.response,
        source=str(of.source) if of.source else None,
        unknown=of.unknown,
        says=of.says,
    )
