"""Scores: the latest that counts, or what is missing and why."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.careplans.domain.applying.inputs import Input
from services.careplans.domain.applying.measures import MEASURES
from services.careplans.domain.applying.observations import observed
from services.careplans.domain.measures.measure import LOCAL_MEASURES, LOINC, UCUM
from tests.unit.services.careplans.domain.applying.patients import AS_OF, observation


def variables(*resources: dict[str, Any]) -> dict[str, Input]:
    forms = [each for each in resources if each["resourceType"] == "QuestionnaireResponse"]
    others = [each for each in resources if each["resourceType"] == "Observation"]
    return {entry.name: entry for entry in observed(others, AS_OF, forms)}


def phq9(*observations: dict[str, Any]) -> Input:
    return variables(*observations)["phq9"]


def coded(code: str, value: Any = None, **more: Any) -> dict[str, Any]:
    made = {"code": {"coding": [{"system": LOINC, "code": code}]}} | more
    return made if value is None else made | {"valueQuantity": {"value": value}}


def panel(code: str, *components: dict[str, Any]) -> dict[str, Any]:
    return observation("phq9", 0, valueQuantity=None) | coded(code) | {"component": list(components)}


def answered(*answers: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A PHQ-9 form of LOINC: item code -> answer code."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "form",
        "status": "completed",
        "authored": "2026-02-01",
        "item": [
            {"linkId": f"/{item}", "answer": [{"valueCoding": {"system": LOINC, "code": code}}]}
            for item, code in answers
        ],
    } | more


PMS = "http://cds.ahrq.gov/cdsconnect/pms"
SEVERAL, NEVER = "LA6569-3", "LA6568-5"
CODED = {"coding": [{"system": LOINC, "code": SEVERAL}]}
PHQ9_ITEMS = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")


def test_the_latest_score_counts_with_its_reference_and_date() -> None:
    found = phq9(observation("phq9", 12, "2026-02-01"), observation("phq9", 9, "2026-02-20"))
    assert (found.value, found.references, found.at) == (9, ("Observation/44261-6-2026-02-20",), "2026-02-20")


def test_of_two_at_the_same_moment_the_same_one_counts_in_any_order() -> None:
    twins = [observation("phq9", 12) | {"id": "a"}, observation("phq9", 9) | {"id": "b"}]
    assert phq9(*twins) == phq9(*reversed(twins))


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (observation("phq9", 0), 0),
        (observation("phq9", 27), 27),
        (observation("phq9", Decimal("10.0")), 10),
        (observation("phq9", Decimal("9.5")), Decimal("9.5")),
        (observation("phq9", 1, valueQuantity=None, valueInteger=14), 14),
        (observation("phq9", 11, status="amended"), 11),
        (observation("phq9", 11, effectiveDateTime=None, effectivePeriod={"end": "2026-02-02"}), 11),
        (observation("phq9", 11, "2026"), 11),
        (observation("phq9", 11, (AS_OF - timedelta(days=183)).isoformat()), 11),
        (observation("phq9", 1, valueQuantity=None, valueString="12"), 12),
        (observation("phq9", 1, valueQuantity={"value": 10.0}), 10),
        (observation("phq9", 1, valueQuantity={"value": 10, "system": UCUM, "code": "{score}"}), 10),
        (panel("44249-1", coded("44260-8", 1), coded("44261-6", 13)), 13),
        (answered(*((item, SEVERAL) for item in PHQ9_ITEMS)), 9),
    ],
)
def test_a_score_that_counts(given: dict[str, Any], value: object) -> None:
    assert phq9(given).value == value


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (observation("phq9", 28), "is outside 0 to 27"),
        (observation("phq9", -1), "is outside 0 to 27"),
        (observation("phq9", 1, valueQuantity={"value": 10, "comparator": ">"}), "has no number"),
        (observation("phq9", 1, valueQuantity=None, valueString="twelve"), "has no number"),
        (observation("phq9", 1, valueQuantity={"value": "12"}), "has no number"),
        (observation("phq9", 1, valueQuantity={"value": float("nan")}), "has no number"),
        (observation("phq9", 1, valueQuantity={"value": float("inf")}), "has no number"),
        (observation("phq9", 1, valueQuantity={"value": Decimal("1e999999")}), "has no number"),
        (observation("phq9", 1, valueQuantity=["12"]), "has no number"),
        (observation("phq9", 1, valueQuantity={"value": 10, "system": UCUM, "code": "mm"}), "is in another unit"),
        (observation("phq9", 11, "0001-01-01T00:00:00+14:00"), "needs PHQ-9"),
        (observation("phq9", 11, status=["final"]), "needs PHQ-9"),
        (answered(("44250-9", SEVERAL), status="in-progress"), "needs PHQ-9"),
        (answered(*((item, SEVERAL) for item in PHQ9_ITEMS[:-1])), "needs PHQ-9"),
        (answered(*((item, "LA0-0") for item in PHQ9_ITEMS)), "was not answered in full"),
        (observation("phq9", 1, valueQuantity=None, dataAbsentReason={"text": "asked"}), "has no number"),
        (observation("phq9", 1, (AS_OF - timedelta(days=184)).isoformat()), "is older than 183 days"),
        (observation("phq9", 11, status="preliminary"), "needs PHQ-9"),
        (observation("phq9", 11, status="entered-in-error"), "needs PHQ-9"),
        (observation("phq9", 11, "2026-03-02"), "needs PHQ-9"),
        (observation("phq9", 11, "soon"), "needs PHQ-9"),
        (observation("phq9", 11, code={"text": "PHQ-9"}), "needs PHQ-9"),
        (observation("phq9", 11, code="44261-6"), "needs PHQ-9"),
    ],
)
def test_a_score_that_does_not_count_is_missing_and_says_why(given: dict[str, Any], note: str) -> None:
    found = phq9(given)
    assert found.missing
    assert found.note.startswith("needs PHQ-9")
    assert found.note.endswith(note)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (observation("phq9Item9", 2), 2),
        (observation("phq9Item9", 0, valueQuantity=None, valueCodeableConcept=CODED), 1),
        (observation("phq9Item9", 0, valueQuantity=None, valueCodeableConcept={"text": "Not at all"}), 0),
        (observation("phq9", 12, component=[coded("44260-8", valueCodeableConcept=CODED)]), 1),
        (panel("44249-1", coded("44260-8", 3)), 3),
        (answered(("44260-8", SEVERAL)), 1),
        (answered(("44260-8", NEVER)), 0),
        (answered(("44260-8", SEVERAL), status="in-progress"), 1),
        (answered(("44260-8", SEVERAL), status="entered-in-error"), None),
        (observation("phq9Item9", 2, status="preliminary"), 2),
        (observation("phq9Item9", 2, status="cancelled"), None),
        (answered(("44250-9", NEVER)), None),
        (answered(("44260-8", "LA0-0")), None),
        (observation("phq9", 12), None),
        (observation("phq9Item9", 4), None),
    ],
)
def test_the_question_on_self_harm_is_read_wherever_it_was_answered(given: dict[str, Any], value: int | None) -> None:
    assert variables(given)["phq9Item9"].value == value


def test_what_a_form_says_refers_to_the_form() -> None:
    found = variables(answered(("44260-8", SEVERAL)))["phq9Item9"]
    assert (found.references, found.at) == (("QuestionnaireResponse/form",), "2026-02-01")


def test_an_observation_goes_before_the_form_of_the_same_moment() -> None:
    form = answered(*((item, SEVERAL) for item in PHQ9_ITEMS))
    assert phq9(form, observation("phq9", 10)).references == ("Observation/44261-6-2026-02-01",)
    assert phq9(form, observation("phq9", 10, valueQuantity=None)).references == ("QuestionnaireResponse/form",)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (observation("peg", Decimal("6.7")), Decimal("6.7")),
        (panel("91148-7", coded("75893-8", 7), coded("91145-3", 5), coded("91146-1", 4)), Decimal("5.33")),
        (panel("91148-7", coded("75893-8", 7.0), coded("91145-3", 5.0), coded("91146-1", 6.0)), 6),
        (panel("91148-7", coded("75893-8", 7), coded("91145-3", 5)), None),
        (panel("91148-7", coded("75893-8", 8.88), coded("91145-3", 5), coded("91146-1", 4)), None),
        (observation("peg", 5) | {"code": {"coding": [{"system": PMS, "code": "PEGASSESSMENT"}]}}, 5),
        (observation("peg", 6) | coded("38221-8"), None),
    ],
)
def test_a_peg_is_its_mean_or_its_three_answers_under_any_known_code(given: dict[str, Any], value: Any) -> None:
    assert variables(given)["peg"].value == value


@pytest.mark.parametrize("variable", ["isi", "pcs", "odi", "tsk11"])
def test_a_score_that_the_service_makes_of_a_form_is_one_that_plans_read(variable: str) -> None:
    measure = next(each.of for each in MEASURES if each.variable == variable)
    given = observation("phq9", 20) | {"code": {"coding": [{"system": LOCAL_MEASURES, "code": measure.id}]}}
    assert variables(given)[variable].value == 20


def test_an_assessment_is_a_yes_or_no() -> None:
    given = [observation("redFlags", False), observation("neuropathicComponent", "perhaps")]
    found = {entry.name: entry for entry in observed(given, AS_OF)}
    assert found["redFlags"].value is False
    assert found["neuropathicComponent"].note.endswith("is neither yes nor no")
    assert found["emotionRegulationDifficulty"].note == "needs Emotion-regulation difficulty"
