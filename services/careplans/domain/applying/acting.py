"""The actions of a plan, one after the other: indicated? contraindicated? wanted?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.careplans.domain.applying import reasons
from services.careplans.domain.applying.circumstances import Circumstances, Declined
from services.careplans.domain.applying.definitions import Definitions, definition_of, treatment_of
from services.careplans.domain.applying.dynamic import with_dynamic_values
from services.careplans.domain.applying.extensions import ALWAYS, CAUTION, CONTRAINDICATION, formats, group_of
from services.careplans.domain.applying.inputs import Inputs
from services.careplans.domain.applying.judging import conditions, hazards_of
from services.careplans.domain.applying.proposal import Considered, Judged, Outcome
from services.careplans.domain.codes import extension_value
from shared.fhir.json import Resource

GROUPS_DECLINED = Declined("group", "The patient does not take part in groups.")
TELEHEALTH_DECLINED = Declined("telehealth", "The patient does not take visits by video or telephone.")


@dataclass(frozen=True, slots=True)
class Acting:
    """What all actions are judged by."""

    definitions: Definitions
    inputs: Inputs
    circumstances: Circumstances

    def all(
        self, actions: Sequence[Resource], path: str, parent: str = "", above: tuple[Judged, ...] = ()
    ) -> tuple[Considered, ...]:
        """Every action of ``PlanDefinition.action``, in order. Raises ``Unprocessable``."""
        return tuple(
            self.one(action, f"{path}.action[{place}]", f"{parent}{place + 1}", above)
            for place, action in enumerate(actions)
        )

    def one(self, action: Resource, path: str, number: str, above: tuple[Judged, ...]) -> Considered:
        """``number`` names an action without an id: ``2.1`` is the first part of the second."""
        definition = definition_of(action, self.definitions, path)
        judged = conditions(action, self.inputs, path)
        considered = Considered(
            id=str(action.get("id") or f"action-{number}"),
            title=str(action.get("title") or (definition or {}).get("title") or action.get("description") or "Action"),
            outcome=_indicated(judged),
            reason="",
            action=action,
            definition=definition,
            conditions=judged,
            inherited=above,
        )
        # what is not indicated is judged no further, but its parts and definitions must hold all the same
        parts = self.all(action.get("action") or (), path, f"{number}.", (*above, *judged))
        if considered.proposed:
            considered = self._treated(replace(considered, action=with_dynamic_values(action, self.inputs, path)))
        if parts:
            considered = _with_parts(considered, parts)
        return replace(considered, reason=reasons.of(considered, self._refusal(considered)))

    def _treated(self, considered: Considered) -> Considered:
        """What the definition and the patient's wishes make of an action that is indicated."""
        definition = considered.definition
        if definition is None:
            return considered
        against = tuple(
            each for each in hazards_of(definition, CONTRAINDICATION, self.inputs) if each.result is not False
        )
        cautions = tuple(each for each in hazards_of(definition, CAUTION, self.inputs) if each.result is not False)
        outcome = Outcome.PROPOSED
        if any(each.result for each in against):
            outcome = Outcome.CONTRAINDICATED
        elif self._refusal(considered):
            outcome = Outcome.DECLINED
        names = (treatment_of(definition), group_of(definition))
        preferred = any(name in self.circumstances.preferred for name in names)
        return replace(considered, outcome=outcome, contraindications=against, cautions=cautions, preferred=preferred)

    def _refusal(self, considered: Considered) -> Declined | None:
        if considered.definition is None or extension_value(considered.definition, ALWAYS) is True:
            return None
        group = group_of(considered.definition)
        given = formats(considered.definition)
        if refused := self.circumstances.refusal(treatment_of(considered.definition), group):
            return refused
        if given == {"group"} and self.circumstances.groups is False:
            return GROUPS_DECLINED
        if given == {"telehealth"} and self.circumstances.telehealth is False:
            return TELEHEALTH_DECLINED
        return None


def _indicated(judged: Sequence[Judged]) -> Outcome:
    results = [each.result for each in judged]
    if False in results:
        return Outcome.NOT_INDICATED
    return Outcome.UNKNOWN if None in results else Outcome.PROPOSED


def _with_parts(whole: Considered, parts: tuple[Considered, ...]) -> Considered:
    """Parts follow the whole where it is not proposed; it follows them where it is nothing but them."""
    if not whole.proposed:
        held = tuple(_held(part, whole) for part in parts)
        return replace(whole, children=held)
    if whole.definition is not None or any(part.proposed for part in parts):
        # the first to look at is what the patient would like
        return replace(whole, children=tuple(sorted(parts, key=lambda part: not part.preferred)))
    outcomes = [part.outcome for part in parts]
    outcome = Outcome.UNKNOWN if Outcome.UNKNOWN in outcomes else outcomes[0]
    return replace(whole, children=parts, outcome=outcome)


def _held(part: Considered, whole: Considered) -> Considered:
    children = tuple(_held(child, whole) for child in part.children)
    reason = f"Part of “{whole.title}”, which is not proposed."
    judged: tuple[Judged, ...] = ()
    return replace(
        part,
        outcome=whole.outcome,
        reason=reason,
        children=children,
        conditions=judged,
        contraindications=judged,
        cautions=judged,
        preferred=False,
    )
