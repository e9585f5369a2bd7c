"""What is told of services and of referrals, as types; the texts are for people, the codes for programs."""

from datetime import datetime

from pydantic import BaseModel

from services.referrals.app.directory import Listed
from services.referrals.app.matching import Matched, Warnings
from services.referrals.domain.candidate import Candidate
from services.referrals.domain.descent import Loop
from services.referrals.domain.matching import Excluded, Match, Reason, Violated
from services.referrals.domain.offering import Modality
from services.referrals.domain.similar import Duplicate, Return
from services.referrals.domain.specialty import Specialty, disciplines
from services.referrals.domain.ties import Tie
from services.referrals.domain.waiting import Waiting
from shared.security.caller import Discipline


class Ages(BaseModel):
    """Whole years, both included; null is open."""

    youngest: int | None
    oldest: int | None


class Capacity(BaseModel):
    """New patients of this week, from Monday, UTC; null is not declared."""

    weekly: int | None
    used: int
    left: int | None
    free_slots: int | None
    """In the next four weeks; null: no schedule is known."""
    next_slot: datetime | None


class ServiceView(BaseModel):
    """A HealthcareService or PractitionerRole; empty lists are unknown, of ages and payers: all."""

    reference: str
    name: str | None
    active: bool
    organization: str | None
    practitioner: str | None
    part_of: list[str]
    specialties: list[Specialty]
    disciplines: list[Discipline]
    modalities: list[Modality]
    languages: list[str]
    ages: list[Ages]
    payers: list[str]
    capacity: Capacity
    waiting: Waiting
    distance_km: float | None


class Directory(BaseModel):
    """Some services; send ``cursor`` to get the next ones."""

    services: list[ServiceView]
    cursor: str | None


class LoopView(BaseModel):
    """The referral would go back to ``sender``, who sent it on its way by ``through``."""

    sender: str
    through: str
    tie: Tie


class WarningsView(BaseModel):
    """What to look at before sending. It keeps nobody from it."""

    duplicates: list[Duplicate]
    loops: list[LoopView]
    returns: list[Return]


class MatchView(BaseModel):
    """A service that can take the referral. ``score`` is the weighed mean of its reasons, from 0 to 1."""

    service: ServiceView
    score: float
    reasons: list[Reason]
    loops: list[LoopView]
    returns: list[Return]


class ExcludedView(BaseModel):
    """A service that is for what is needed and cannot take the referral."""

    service: ServiceView
    because: list[Violated]


class Matches(BaseModel):
    """The best first; who is excluded, and why; and what to look at before sending."""

    specialties: list[Specialty]
    """What was looked for."""
    matches: list[MatchView]
    more: int
    """Matches beyond ``limit``."""
    excluded: list[ExcludedView]
    warnings: WarningsView


def directory_told(listed: Listed) -> Directory:
    """A page of the directory."""
    return Directory(services=[_service(each) for each in listed.services], cursor=listed.cursor)


def matches_told(matched: Matched, limit: int) -> Matches:
    """The first ``limit`` matches and all else."""
    ranking = matched.ranking
    return Matches(
        specialties=sorted(matched.needs.specialties),
        matches=[_match(each) for each in ranking.matches[:limit]],
        more=max(0, len(ranking.matches) - limit),
        excluded=[
            ExcludedView(service=_service(each.candidate), because=list(each.because)) for each in ranking.excluded
        ],
        warnings=warnings_told(matched.warnings),
    )


def warnings_told(warnings: Warnings) -> WarningsView:
    """The warnings about a referral."""
    return WarningsView(
        duplicates=list(warnings.duplicates),
        loops=[_loop(each) for each in warnings.loops],
        returns=list(warnings.returns),
    )


def _match(match: Match) -> MatchView:
    return MatchView(
        service=_service(match.candidate),
        score=match.score,
        reasons=list(match.reasons),
        loops=[_loop(each) for each in match.candidate.loops],
        returns=list(match.candidate.returns),
    )


def _excluded(excluded: Excluded) -> ExcludedView:
    return ExcludedView(service=_service(excluded.candidate), because=list(excluded.because))


def _loop(loop: Loop) -> LoopView:
    return LoopView(sender=loop.sender.requester, through=loop.sender.through, tie=loop.tie)


def _service(candidate: Candidate) -> ServiceView:
    offering, load, far = candidate.offering, candidate.load, candidate.distance_km
    return ServiceView(
        reference=offering.reference,
        name=offering.name,
        active=offering.active,
        organization=offering.organization,
        practitioner=offering.practitioner,
        part_of=list(offering.part_of),
        specialties=sorted(offering.specialties),
        disciplines=sorted(disciplines(offering.specialties)),
        modalities=sorted(offering.modalities),
        languages=sorted(offering.languages),
        ages=[Ages(youngest=each.youngest, oldest=each.oldest) for each in offering.ages],
        payers=sorted(offering.payers),
        capacity=Capacity(
            weekly=offering.weekly_capacity,
            used=load.accepted_this_week,
            left=candidate.capacity_left,
            free_slots=load.free_slots,
            next_slot=load.next_slot,
        ),
        waiting=candidate.waiting,
        distance_km=None if far is None else round(far, 1),
    )
