"""The patient's other referrals, as far as the caller may see them: what was seen where, what is the same, who sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.referrals.app.reading import all_of, chunks
from services.referrals.domain.needs import reasons_of, specialties_of
from services.referrals.domain.references import target
from services.referrals.domain.referral import FULFILL, is_referral
from services.referrals.domain.similar import Earlier
from services.referrals.domain.standing import Standing
from services.referrals.domain.ties import Party, party_of
from services.referrals.store import referrals
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.fhir.search.access import Access
from shared.fhir.search.parse import parse

_MOST = 200
"""Referrals of one patient, those that changed last."""
_INCLUDED = ("focus", "owner", "requester")


@dataclass(frozen=True, slots=True)
class Past:
    """One of the patient's referrals, with who sent it and who took it."""

    referral: Earlier
    requester: Party
    owner: Party
    seen: bool


@dataclass(frozen=True, slots=True)
class Known:
    """The patient's referrals, and who is whom."""

    past: tuple[Past, ...]
    resources: Mapping[str, Resource]
    roles: tuple[Resource, ...]

    def party(self, reference: str | None) -> Party:
        """Who ``reference`` is."""
        return party_of(reference, self.resources, self.roles)


async def known_of(engine: Engine, access: Access, patient: str | None, others: Iterable[str]) -> Known:
    """The referrals of ``patient``; ``others`` are references of whom more must be known."""
    tasks, resources = await _tasks(engine, access, patient) if patient else ([], {})
    standing = await referrals.read(engine.pool, [task["id"] for task in tasks]) if tasks else {}
    named = {target(task.get(element)) for task in tasks for element in ("requester", "owner")} | set(others)
    roles = await _roles(engine, access, sorted(each for each in named if each and each.startswith("Practitioner/")))
    known = Known((), resources | {f"PractitionerRole/{role['id']}": role for role in roles}, tuple(roles))
    past = (_past(task, standing.get(task["id"]), known) for task in tasks)
    return Known(tuple(past), known.resources, known.roles)


async def _tasks(engine: Engine, access: Access, patient: str) -> tuple[list[Resource], dict[str, Resource]]:
    asked = [("patient", patient), ("code", "|".join(FULFILL)), ("_sort", "-_lastUpdated"), ("_count", str(_MOST))]
    asked += [("_include", f"Task:{name}") for name in _INCLUDED]
    page = await search(engine.pool, "Task", asked, access=access, clock=engine.clock)
    tasks = [task for stored in page.matches if is_referral(task := loads(stored.body))]
    return tasks, {f"{stored.type}/{stored.id}": loads(stored.body) for stored in page.included}


async def _roles(engine: Engine, access: Access, practitioners: Sequence[str]) -> list[Resource]:
    """Where ``practitioners`` work."""
    found: dict[str, Resource] = {}
    for some in chunks(practitioners):
        query = parse("PractitionerRole", [("practitioner", ",".join(some)), ("_count", "1000")], now=engine.clock())
        found |= {each["id"]: each for each in (await all_of(engine, access, query))[0]}
    return list(found.values())


def _past(task: Resource, standing: Standing | None, known: Known) -> Past:
    order = known.resources.get(target(task.get("focus")) or "", {})
    sent = standing.sent_at if standing is not None else None
    requester, owner = target(task.get("requester")), target(task.get("owner"))
    referral = Earlier(
        task=f"Task/{task['id']}",
        status=task["status"],
        sent=sent or datetime.fromisoformat(task["meta"]["lastUpdated"]),
        specialties=specialties_of(task, order),
        reasons=reasons_of(task, order),
        requester=requester,
        owner=owner,
    )
    seen = standing is not None and standing.seen_at is not None
    return Past(referral, known.party(requester), known.party(owner), seen)
