"""Domain facts as the contracts ``careplan.*``, ``safety.*`` and ``outcome.*``."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from services.careplans.domain.facts import PlanFact, What
from services.careplans.domain.measures.reviews import ReviewDue
from services.careplans.domain.measures.self_harm import ITEM_CODE, SelfHarmItemPositive
from services.careplans.domain.safety.answering import FindingFact
from services.careplans.domain.safety.answering import What as Happened
from services.careplans.domain.uncertainty import RevisitDue
from shared.clock import instant
from shared.contracts.careplans import (
    CarePlanEvent,
    CarePlanV1,
    DiagnosisEvent,
    DiagnosisV1,
    OutcomeEvent,
    OutcomeV1,
    SafetyEvent,
    SafetyV1,
)
from shared.fhir.kinds import Fact
from shared.security.caller import Caller
from shared.store.resources import Stored

EVENTS: Mapping[What, CarePlanEvent] = {
    What.CREATED: CarePlanEvent.CREATED,
    What.UPDATED: CarePlanEvent.UPDATED,
    What.DELETED: CarePlanEvent.DELETED,
    What.ACTIVITY_ADDED: CarePlanEvent.ACTIVITY_ADDED,
    What.ACTIVITY_CHANGED: CarePlanEvent.ACTIVITY_CHANGED,
    What.TEAM_CHANGED: CarePlanEvent.TEAM_CHANGED,
}

FINDINGS: Mapping[Happened, SafetyEvent] = {
    Happened.OPENED: SafetyEvent.FINDING_OPENED,
    Happened.ANSWERED: SafetyEvent.FINDING_ANSWERED,
    Happened.RESOLVED: SafetyEvent.FINDING_RESOLVED,
}


def outgoing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
    """The event that ``fact`` becomes. Of a plan, its subject is the plan, also where the team changed."""
    if isinstance(fact, SelfHarmItemPositive):
        yield _safety(fact, stored)
    if isinstance(fact, FindingFact):
        yield _finding(fact, stored)
    if isinstance(fact, RevisitDue):
        yield _revisit(fact, stored)
    if isinstance(fact, ReviewDue):
        yield _review(fact, stored)
    if not isinstance(fact, PlanFact):
        return
    of_team = fact.plan is not None
    plan = fact.plan or f"CarePlan/{stored.id}"
    payload = CarePlanV1(
        care_plan=plan,
        version=stored.version,
        patient=fact.patient,
        care_team=f"CareTeam/{stored.id}" if of_team else fact.care_team,
        status=fact.status,
        changed=fact.changed,
        activity=fact.activity,
        activity_status=fact.activity_status,
        discipline=fact.discipline,
        occurred_at=instant(stored.last_updated),
    )
    yield EVENTS[fact.what], plan, payload


def _safety(fact: SelfHarmItemPositive, stored: Stored) -> tuple[str, str, BaseModel]:
    found_in = f"{stored.type}/{stored.id}"
    payload = SafetyV1(
        resource=found_in,
        version=stored.version,
        patient=fact.patient,
        code=ITEM_CODE,
        certain=fact.certain,
        measured=fact.measured,
        occurred_at=instant(stored.last_updated),
    )
    event = SafetyEvent.SELF_HARM_ITEM_ON_RECORD if fact.history else SafetyEvent.SELF_HARM_ITEM_POSITIVE
    return event, found_in, payload


def _finding(fact: FindingFact, stored: Stored) -> tuple[str, str, BaseModel]:
    issue = f"{stored.type}/{stored.id}"
    payload = SafetyV1(
        resource=issue,
        version=stored.version,
        patient=fact.patient,
        code=fact.rule,
        certain=fact.certain,
        occurred_at=instant(stored.last_updated),
    )
    return FINDINGS[fact.what], issue, payload


def _revisit(fact: RevisitDue, stored: Stored) -> tuple[str, str, BaseModel]:
    condition = f"{stored.type}/{stored.id}"
    payload = DiagnosisV1(
        condition=condition,
        version=stored.version,
        patient=fact.patient,
        care_plan=fact.care_plan,
        revisit_by=fact.revisit_by.isoformat(),
        occurred_at=instant(stored.last_updated),
    )
    return DiagnosisEvent.REVISIT_DUE, condition, payload


def _review(fact: ReviewDue, stored: Stored) -> tuple[str, str, BaseModel]:
    score = f"{stored.type}/{stored.id}"
    payload = OutcomeV1(
        observation=score,
        version=stored.version,
        care_plan=fact.care_plan,
        patient=fact.patient,
        measure=fact.measure,
        causes=tuple(cause.value for cause in fact.causes),
        measured=instant(fact.measured),
        occurred_at=instant(stored.last_updated),
    )
    return OutcomeEvent.REVIEW_DUE, score, payload
