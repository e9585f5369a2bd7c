"""One table of ingredients serves the catalogue and the safety rules."""

import pytest

from services.careplans.domain.applying.classes import ICD10CM
from services.careplans.domain.applying.conditions import diagnosed
from services.careplans.domain.applying.medicine_classes import CODES, MEDICINE_CLASSES, UNVERIFIED
from services.careplans.domain.safety.ingredients import INGREDIENTS, NAMES


def test_codes_and_how_sure_they_are_come_from_one_table() -> None:
    assert {name: each.code for name, each in INGREDIENTS.items() if each.code} == CODES
    assert {name for name in CODES if not INGREDIENTS[name].verified} == UNVERIFIED


def test_every_medicine_of_a_class_is_an_ingredient_or_another_name_of_one() -> None:
    named = {name for class_ in MEDICINE_CLASSES for name in class_.ingredients}
    assert named <= NAMES.keys()


def test_low_dose_aspirin_is_a_blood_thinner_and_no_nsaid_for_the_catalogue() -> None:
    classes = {class_.code: class_.ingredients for class_ in MEDICINE_CLASSES}
    assert "aspirin" in classes["blood-thinner"]
    assert "aspirin" not in classes["nsaid"]


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("D57.1", None, True),
        ("D57.3", None, False),
        (None, "Sickle cell anemia", True),
        (None, "Sickle cell trait", False),
    ],
)
def test_sickle_cell_trait_is_no_disease(code: str | None, text: str | None, expected: bool) -> None:
    concept = {"coding": [{"system": ICD10CM, "code": code}]} if code else {"text": text}
    found = {each.name: each.value for each in diagnosed([{"resourceType": "Condition", "id": "c", "code": concept}])}
    assert found["sickleCell"] is expected
