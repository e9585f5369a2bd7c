"""What a stored proposal offers, read from its RequestGroup (http://hl7.org/fhir/R4/requestgroup.html)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.careplans.domain.applying.classes import codings
from services.careplans.domain.applying.extensions import SERVES, TREATMENT, extensions
from services.careplans.domain.applying.proposal import Proposal
from services.careplans.domain.applying.request_group import request_group
from services.careplans.domain.codes import DISCIPLINE_SYSTEM, SHARED_PLAN_IDENTIFIER, extension_value, reference_of
from services.careplans.domain.proposals.codes import PROPOSAL_FOR
from shared.fhir.json import Resource

ONE = frozenset({"exactly-one", "at-most-one"})
"""Selection behaviors under which no more than one part is taken."""

_OF_THE_MOMENT = frozenset({"authoredOn"})
_OF_STORING = _OF_THE_MOMENT | {"id", "meta", "status", "replaces"}


@dataclass(frozen=True, slots=True)
class Offered:
    """One action that can be accepted or declined."""

    id: str
    title: str
    reason: str
    """Why it is proposed."""
    request: Resource
    """The contained draft."""
    goals: tuple[str, ...] = ()
    """Ids of the contained goals that it serves."""
    rivals: tuple[str, ...] = ()
    """Ids of what is in the other parts of the choices of one that it is in."""

    @property
    def discipline(self) -> str | None:
        """Who performs it."""
        performers = self.request.get("performerType")
        concepts = performers if isinstance(performers, list) else [performers]
        return next((code for each in concepts for system, code in codings(each) if system == DISCIPLINE_SYSTEM), None)

    @property
    def definition(self) -> str | None:
        """The canonical URL of its ActivityDefinition."""
        canonical = self.request.get("instantiatesCanonical")
        return canonical[0] if isinstance(canonical, list) else canonical

    @property
    def treatment(self) -> list[Resource]:
        """The codings of the catalogue in what it asks for."""
        concept = self.request.get("code") or self.request.get("medicationCodeableConcept") or {}
        return [coding for coding in concept.get("coding") or () if coding.get("system") == TREATMENT]


def stored_proposal(proposal: Proposal, plan: str) -> Resource:
    """``proposal`` as it is stored for the shared plan ``plan`` (``CarePlan/x``), with the goals that it serves."""
    group = request_group(proposal)
    return group | {
        "extension": [{"url": PROPOSAL_FOR, "valueReference": {"reference": plan}}, *group["extension"]],
        "basedOn": [{"reference": plan}],
        "groupIdentifier": {"system": SHARED_PLAN_IDENTIFIER, "value": plan.partition("/")[2]},
    }


def same_offer(one: Resource, other: Resource) -> bool:
    """Whether two stored proposals say the same, whenever they were made."""
    return bool(_said(one) == _said(other))


def plan_of_proposal(group: Resource | None) -> str | None:
    """The ``CarePlan/x`` that it is a proposal for; None for any other RequestGroup."""
    return reference_of(extension_value(group or {}, PROPOSAL_FOR))


def offered(group: Resource) -> dict[str, Offered]:
    """Everything that can be decided on, by id, in the order of the proposal."""
    contained = {f"#{each['id']}": each for each in group.get("contained") or ()}
    return {each.id: each for action in group.get("action") or () for each in _offered(action, contained)}


def goals_of(group: Resource) -> dict[str, Resource]:
    """The contained goals by id."""
    return {each["id"]: each for each in group.get("contained") or () if each.get("resourceType") == "Goal"}


def _offered(
    action: Resource, contained: Mapping[str, Resource], rivals: tuple[str, ...] = (), above: tuple[str, ...] = ()
) -> Iterator[Offered]:
    goals = tuple(dict.fromkeys((*above, *_goals(action))))
    request = contained.get(reference_of(action.get("resource")) or "")
    if request is not None and "id" in action:
        why = str(action.get("textEquivalent") or "")
        yield Offered(action["id"], str(action.get("title") or action["id"]), why, request, goals, rivals)
    parts = action.get("action") or ()
    one = action.get("selectionBehavior") in ONE
    ids = [tuple(_ids(part)) for part in parts]
    for place, part in enumerate(parts):
        beside = (id_ for others in (*ids[:place], *ids[place + 1 :]) for id_ in others) if one else ()
        yield from _offered(part, contained, (*rivals, *beside), goals)


def _ids(action: Resource) -> Iterator[str]:
    """Of what is offered in an action, however deep."""
    if "resource" in action and "id" in action:
        yield action["id"]
    for part in action.get("action") or ():
        yield from _ids(part)


def _said(value: Any) -> Any:
    if isinstance(value, list):
        return [_said(each) for each in value]
    if not isinstance(value, dict):
        return value
    top = "groupIdentifier" in value
    left_out = _OF_STORING if top else _OF_THE_MOMENT
    return {name: _said(each) for name, each in value.items() if name not in left_out}


def _goals(action: Resource) -> tuple[str, ...]:
    served = (extension["valueReference"]["reference"] for extension in extensions(action, SERVES))
    return tuple(reference.removeprefix("#") for reference in served)
