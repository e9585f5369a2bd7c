"""The Questionnaires that are shipped: valid R4, free to ship, and those that the scores are made from."""

import json

import pytest

from services.careplans.content.questionnaires import questionnaires
from services.careplans.domain.measures.catalogue import BY_ID, MEASURES
from services.careplans.domain.measures.measure import LOINC
from shared.fhir.json import Resource
from shared.fhir.validate import check

ALL = questionnaires()


def items(parent: Resource) -> list[Resource]:
    return [each for item in parent.get("item", ()) for each in (item, *items(item))]


def test_what_is_shipped_is_what_the_table_says() -> None:
    assert {each["id"] for each in ALL} == {measure.id for measure in MEASURES if measure.shipped}


@pytest.mark.parametrize("questionnaire", ALL, ids=lambda each: each["id"])
def test_a_questionnaire_is_valid_and_asks_what_is_scored(questionnaire: Resource) -> None:
    check(questionnaire)
    measure = BY_ID[questionnaire["id"]]
    assert questionnaire["url"] == measure.questionnaire
    asked = {item["linkId"]: item for item in items(questionnaire)}
    assert len(asked) == len(items(questionnaire))
    for item in measure.items:
        question = asked[item.link]
        verified = [code.code for code in item.codes if code.verified]
        assert [code["code"] for code in question["code"]] == (verified or [item.link])
        if question["type"] == "choice":
            options = [option["valueCoding"] for option in question["answerOption"]]
            weights = [option["extension"][0]["valueDecimal"] for option in question["answerOption"]]
            assert item.answers is not None
            assert [item.answers[option["code"]] for option in options] == weights
            assert [item.answers[option["display"].casefold()] for option in options] == weights
            assert weights == list(range(item.low, item.high + 1))
        else:
            assert [bound["valueInteger"] for bound in question["extension"]] == [item.low, item.high]


@pytest.mark.parametrize("questionnaire", ALL, ids=lambda each: each["id"])
def test_a_questionnaire_says_by_which_right_it_is_shipped_and_whose_codes_it_has(questionnaire: Resource) -> None:
    assert ("permission" in questionnaire["copyright"]) or ("free to use" in questionnaire["copyright"])
    assert LOINC not in json.dumps(questionnaire["item"]) or "Regenstrief" in questionnaire["copyright"]
