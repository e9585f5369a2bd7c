"""``apply``: a plan, a record, a moment and a patient's circumstances give a proposal; the same give the same."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from services.careplans.domain.applying.acting import Acting
from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.conditions import unread
from services.careplans.domain.applying.definitions import canonical, indexed
from services.careplans.domain.applying.gather import gather, objects, patient_of
from services.careplans.domain.applying.inputs import Record
from services.careplans.domain.applying.proposal import Considered, Proposal
from services.careplans.domain.applying.shapes import LANGUAGES, shaped
from shared.errors import Unprocessable
from shared.fhir.json import Resource

NOTHING_ASKED = Circumstances()


def apply(
    plan: Resource,
    definitions: Iterable[Resource],
    record: Record,
    as_of: datetime,
    circumstances: Circumstances = NOTHING_ASKED,
) -> Proposal:
    """The proposal of ``plan`` for the patient of ``record``.

    ``definitions`` are the ActivityDefinitions that the plan names; ``record`` has the patient's resources by type, one
    Patient among them; ``as_of`` has a zone. Raises ``Unprocessable`` with the element's path for a retired plan, an
    unknown definition, an expression that is none, or an id that two actions have, and where the record is not that of
    one patient."""
    if plan.get("status") == "retired":
        raise Unprocessable("A retired plan is not applied.", expression=("PlanDefinition.status",))
    record = objects(record)
    inputs = gather(record, as_of, circumstances)
    acting = Acting(indexed(definitions), inputs, circumstances)
    actions = acting.all(plan.get("action") or (), "PlanDefinition")
    _require_names(actions)
    patient = patient_of(record)
    wanted = {
        goal for action in actions for each in action.all() if each.proposed for goal in each.action.get("goalId", ())
    }
    return Proposal(
        canonical=canonical(plan),
        plan=plan,
        subject=f"Patient/{patient['id']}",
        as_of=as_of,
        actions=actions,
        goals=tuple(goal for goal in plan.get("goal") or () if goal.get("id") in wanted),
        notes=tuple(_notes(record, patient, circumstances)),
    )


def _require_names(actions: Iterable[Considered]) -> None:
    """People decide on actions by their ids."""
    ids = [id_ for action in actions for each in action.all() for id_ in each.ids()]
    if len(set(ids)) < len(ids):
        text = "Two actions of the plan have the same id, or one that is given to an action without any."
        raise Unprocessable(text, code="duplicate", expression=("PlanDefinition.action",))


def _notes(record: Record, patient: Resource, circumstances: Circumstances) -> Iterable[str]:
    if circumstances.matters:
        yield f"What matters to the patient: {circumstances.matters}"
    if language := circumstances.language or _language(patient):
        yield f"Speaks: {language}"
    if circumstances.times:
        yield f"Can come: {circumstances.times}"
    if strange := unread(record.get("Condition", ())):
        yield f"No rule knows these conditions, look at them yourself: {', '.join(strange)}."


def _language(patient: Mapping[str, Any]) -> str | None:
    communications = shaped(patient, LANGUAGES).get("communication", ())
    preferred = [each.get("language", {}) for each in communications if each.get("preferred")]
    for language in preferred:
        codes = [coding.get("code") for coding in language.get("coding", ())]
        return language.get("text") or next((code for code in codes if code), None)
    return None
