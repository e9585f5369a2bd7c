"""The shared plan's CareTeam (http://hl7.org/fhir/R4/careteam.html): who takes part, for which discipline, since when.

A participant stands for an owner and a discipline, however many referrals brought them together. It ends
(``period.end``) when every one of these referrals was cancelled, declined, failed or found to be an error after its
acceptance; a completed referral does not end it, people do. Where a referral is handed over, the new owner takes part
in place of the old; the team's history keeps who was there.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, datetime

from services.careplans.domain.codes import (
    DISCIPLINE_DISPLAY,
    DISCIPLINE_SYSTEM,
    OWN_ELEMENT,
    SHARED_PLAN_IDENTIFIER,
    US_CORE_CARETEAM,
)
from services.careplans.domain.referral import Referral
from shared.fhir.json import Resource

NAME = "Shared care team"
MEMBER_TYPES = frozenset({"Practitioner", "PractitionerRole", "Organization", "RelatedPerson", "Patient", "CareTeam"})
"""What ``CareTeam.participant.member`` may refer to in R4; a Task may also be owned by a service or a device."""

NO_DISCIPLINE = {
    "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
    "code": "unknown",
    "display": "Unknown",
}
"""The role of a referral without a discipline; US Core demands one.

Missing data: http://hl7.org/fhir/us/core/general-guidance.html"""


def apply_to_team(
    team: Resource | None, referrals: Sequence[Referral], *, plan_id: str, team_id: str, patient: str
) -> Resource | None:
    """The team with a participant per accepted owner and discipline; None while there is nobody. Others' stay."""
    participants = list(_participants(referrals))
    if team is None and not participants:
        return None
    after = deepcopy(team) if team is not None else _new_team(team_id, plan_id, patient)
    present = after.get("participant") or []
    ours = {entry["id"]: entry for entry in participants}
    kept = [entry for entry in present if not str(entry.get("id", "")).startswith(OWN_ELEMENT) or entry["id"] in ours]
    merged = [_with(entry, ours.pop(entry["id"])) if entry.get("id") in ours else entry for entry in kept]
    merged += ours.values()
    if merged:
        after["participant"] = merged
    else:
        after.pop("participant", None)
    if after.get("status") == "proposed" and participants:
        after["status"] = "active"
    return after


def _new_team(team_id: str, plan_id: str, patient: str) -> Resource:
    return {
        "resourceType": "CareTeam",
        "id": team_id,
        "meta": {"profile": [US_CORE_CARETEAM]},
        "identifier": [{"system": SHARED_PLAN_IDENTIFIER, "value": plan_id}],
        "status": "proposed",
        "name": NAME,
        "subject": {"reference": patient},
    }


def _participants(referrals: Iterable[Referral]) -> Iterable[Resource]:
    together: dict[tuple[str, str | None], list[Referral]] = {}
    for referral in referrals:
        if _takes_part(referral):
            together.setdefault((referral.owner or "", referral.discipline), []).append(referral)
    for (member, discipline), group in together.items():
        start = min(referral.accepted_at for referral in group if referral.accepted_at)
        period = {"start": _moment(start)}
        if all(referral.ended for referral in group):
            period["end"] = _moment(max([start, *(referral.ended_at for referral in group if referral.ended_at)]))
        yield {
            "id": f"{OWN_ELEMENT}{discipline or 'unknown'}.{member.replace('/', '.')}",
            "role": [{"coding": [_role(discipline)]}],
            "member": {"reference": member},
            "period": period,
        }


def _takes_part(referral: Referral) -> bool:
    named = referral.owner is not None and referral.owner.partition("/")[0] in MEMBER_TYPES
    return named and referral.accepted_at is not None


def _role(discipline: str | None) -> dict[str, str]:
    if discipline is None:
        return NO_DISCIPLINE
    return {
        "system": DISCIPLINE_SYSTEM,
        "code": discipline,
        "display": DISCIPLINE_DISPLAY.get(discipline, discipline),
    }


def _with(entry: Resource, ours: Resource) -> Resource:
    """Our parts over what people added (``onBehalfOf``, further roles)."""
    roles = [role for role in entry.get("role") or () if role not in ours["role"]]
    return {**entry, **ours, "role": [*ours["role"], *roles]}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
