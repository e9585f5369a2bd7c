"""What an accepted action is in the plan (http://hl7.org/fhir/R4/careplan-definitions.html#CarePlan.activity)."""

from collections.abc import Iterable

from services.careplans.domain.applying.classes import codings
from services.careplans.domain.applying.extensions import TREATMENT
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, extension_value
from services.careplans.domain.facts import activity_status
from services.careplans.domain.proposals.codes import INSTANTIATES, PROPOSAL
from services.careplans.domain.proposals.offered import Offered
from services.careplans.domain.proposals.recorded import Recorded
from shared.fhir.json import Resource

ENDED = frozenset({"completed", "cancelled", "stopped", "entered-in-error"})
"""Statuses of an activity after which the same may begin anew."""


def activity_of(offered: Offered, recorded: Recorded, proposal: str, goals: Iterable[str]) -> Resource:
    """An activity that the plan's people carry out themselves; ``proposal`` and ``goals`` are references."""
    extension = [{"url": PROPOSAL, "valueReference": {"reference": proposal}}]
    if recorded.discipline is not None:
        extension.insert(0, {"url": ACTIVITY_DISCIPLINE, "valueCode": recorded.discipline})
    return {"id": recorded.activity, "extension": extension, "detail": _detail(offered, recorded, goals)}


def _detail(offered: Offered, recorded: Recorded, goals: Iterable[str]) -> Resource:
    request = offered.request
    detail: Resource = {"kind": request["resourceType"]}
    if offered.definition is not None:
        detail["instantiatesCanonical"] = [offered.definition]
    if code := request.get("code") or request.get("medicationCodeableConcept") or {"text": offered.title}:
        detail["code"] = code
    detail["reasonCode"] = [{"text": offered.reason}]
    if references := request.get("reasonReference"):
        # CarePlan.activity.detail knows fewer types than a request does
        known = [each for each in references if each["reference"].startswith(("Condition/", "Observation/"))]
        detail |= {"reasonReference": known} if known else {}
    if served := [{"reference": goal} for goal in goals]:
        detail["goal"] = served
    detail["status"] = "not-started"
    if request.get("doNotPerform") is True:
        detail["doNotPerform"] = True
    if recorded.owner is not None:
        detail["performer"] = [recorded.owner]
    if text := recorded.description or _usage(request):
        detail["description"] = text
    return detail


def marked(activity: Resource, offered: Offered, proposal: str) -> Resource:
    """The activity of a referral, with where it comes from; the referral's own extensions stay before it."""
    kept = [each for each in activity.get("extension") or () if each["url"] not in (INSTANTIATES, PROPOSAL)]
    if offered.definition is not None:
        kept.append({"url": INSTANTIATES, "valueCanonical": offered.definition})
    kept.append({"url": PROPOSAL, "valueReference": {"reference": proposal}})
    named = activity["reference"] | {"display": offered.title}
    return activity | {"extension": kept, "reference": named}


def going_on(plan: Resource, definition: str | None) -> bool:
    """Whether an activity of the plan that has not ended comes from that definition, whatever its version."""
    url = (definition or "").partition("|")[0]
    return bool(url) and any(
        url == each.partition("|")[0] and activity_status(activity) not in ENDED
        for activity in plan.get("activity") or ()
        for each in _definitions(activity)
    )


def treatments_of(activity: Resource) -> frozenset[str]:
    """The codes of the treatment that it is: by its own code, and by the definition that it comes from."""
    code = (activity.get("detail") or {}).get("code")
    own = (code for system, code in codings(code) if system == TREATMENT)
    return frozenset((*own, *(each.partition("|")[0].rpartition("/")[2] for each in _definitions(activity))))


def _definitions(activity: Resource) -> Iterable[str]:
    said = extension_value(activity, INSTANTIATES)
    named = said if isinstance(said, str) else None
    return (*(activity.get("detail") or {}).get("instantiatesCanonical", ()), *((named,) if named else ()))


def _usage(request: Resource) -> str:
    return " ".join(note["text"] for note in request.get("note") or () if "text" in note)
