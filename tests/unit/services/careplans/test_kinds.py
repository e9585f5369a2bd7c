"""Every R4 type has exactly one owner, as far as careplans is concerned."""

from services.careplans.domain.rules import decide_record
from services.careplans.kinds import KINDS, OF_OTHERS, WITHOUT_ENDPOINT
from shared.fhir.definitions import RESOURCE_TYPES


def test_every_type_is_ours_or_somebody_elses() -> None:
    ours = {kind.type for kind in KINDS}
    assert ours | OF_OTHERS | WITHOUT_ENDPOINT == RESOURCE_TYPES
    assert ours.isdisjoint(OF_OTHERS)


def test_only_these_types_have_rules_of_their_own() -> None:
    special = {kind.type for kind in KINDS if kind.decide is not decide_record}
    of_the_plan = {"CarePlan", "CareTeam", "Goal", "RequestGroup"}
    of_the_record = {"Condition", "DetectedIssue", "Observation", "QuestionnaireResponse"}
    assert special == of_the_plan | of_the_record | {"Provenance"}
    assert [kind.type for kind in KINDS if kind.if_match_required] == ["CarePlan"]
