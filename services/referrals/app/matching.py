"""Which services can take a referral, and what to look at before it is sent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.referrals.app.earlier import Known, known_of
from services.referrals.app.listing import candidates, offerings, roles_by_service
from services.referrals.app.reading import read_all
from services.referrals.app.subject import Question, Subject, subject_of
from services.referrals.domain import ties
from services.referrals.domain.candidate import Candidate
from services.referrals.domain.descent import Loop, Sender, loops
from services.referrals.domain.distance import nearest
from services.referrals.domain.matching import Ranking, rank
from services.referrals.domain.needs import Needs
from services.referrals.domain.similar import Duplicate, Return, duplicates, returns
from services.referrals.domain.ties import Party
from shared.engine import Engine
from shared.security.caller import Caller


@dataclass(frozen=True, slots=True)
class Warnings:
    """What may be wrong with sending a referral. Nobody is kept from it."""

    duplicates: tuple[Duplicate, ...]
    loops: tuple[Loop, ...]
    returns: tuple[Return, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """The ranking for one referral, and the warnings about the referral as it is."""

    needs: Needs
    ranking: Ranking
    warnings: Warnings


async def match(engine: Engine, caller: Caller, question: Question) -> Matched:
    """Every service for what is needed that the caller may see, ranked or excluded, and the warnings.

    Raises what ``subject_of`` does."""
    subject = await subject_of(engine, caller, question)
    access = engine.access(caller)
    found = await offerings(engine, access, subject.needs.specialties)
    roles = roles_by_service((each.reference, each.part_of) for each in found)
    listed = await candidates(engine, access, found, roles)
    known = await _known(engine, caller, subject)
    ranking = rank((_placed(each, subject, known) for each in listed), subject.needs)
    return Matched(subject.needs, ranking, _warnings(engine, question, subject, known))


async def check(engine: Engine, caller: Caller, question: Question) -> Warnings:
    """The warnings alone. Raises what ``subject_of`` does."""
    subject = await subject_of(engine, caller, question)
    return _warnings(engine, question, subject, await _known(engine, caller, subject))


async def _known(engine: Engine, caller: Caller, subject: Subject) -> Known:
    access = engine.access(caller)
    named = {subject.requester, subject.owner, *(sender.requester for sender in subject.senders)} - {None}
    others = [each for each in named if each]
    known = await known_of(engine, access, subject.patient, others)
    more = await read_all(engine, access, set(others) - known.resources.keys())
    return replace(known, resources={**known.resources, **more})


def _placed(candidate: Candidate, subject: Subject, known: Known) -> Candidate:
    """``candidate`` as it is for this referral."""
    here, party = subject.needs.place, candidate.party
    return replace(
        candidate,
        distance_km=None if here is None else nearest(here, candidate.offering.places),
        seen_before=ties.nearest(party, (past.owner for past in known.past if past.seen)),
        loops=_loops(party, subject, known),
        returns=_returns(party, subject, known),
    )


def _warnings(engine: Engine, question: Question, subject: Subject, known: Known) -> Warnings:
    owner = known.party(subject.owner)
    same = duplicates(
        (past.referral for past in known.past),
        subject.needs.specialties,
        subject.needs.reasons,
        now=engine.clock(),
        days=question.days,
        beside=subject.itself,
    )
    return Warnings(same, _loops(owner, subject, known), _returns(owner, subject, known))


def _loops(party: Party, subject: Subject, known: Known) -> tuple[Loop, ...]:
    return loops(party, _up(subject, known))


def _up(subject: Subject, known: Known) -> Iterable[tuple[Sender, Party]]:
    return ((sender, known.party(sender.requester)) for sender in subject.senders)


def _returns(party: Party, subject: Subject, known: Known) -> tuple[Return, ...]:
    past = ((each.referral, each.requester, each.owner) for each in known.past)
    return returns(past, known.party(subject.requester), party, beside=subject.itself)
