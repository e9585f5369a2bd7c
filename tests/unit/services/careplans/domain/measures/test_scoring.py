"""Scores, by hand, with the ends of each scale and the edges of each band."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.measures.answers import Unread, read
from services.careplans.domain.measures.catalogue import BY_ID, MEASURES
from services.careplans.domain.measures.measure import LOCAL_ITEMS, Measure
from services.careplans.domain.measures.scoring import Score, holds, score
from services.careplans.domain.measures.units import as_decimal
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.measures.answering import coded, integer, ours, response

LOINC_PHQ9 = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")


def scored(measure: str, answers: Resource) -> Score:
    return score(BY_ID[measure], read(answers)[measure])


def by_codes(measure: str, answers: list[Any]) -> Resource:
    """A foreign response that names our local item codes in ``definition``."""
    items = [
        {"linkId": str(place), "definition": f"{LOCAL_ITEMS}#{item.link}"}
        | ({} if value is None else {"answer": [integer(value)]})
        for place, (item, value) in enumerate(zip(BY_ID[measure].items, answers, strict=True))
    ]
    return response({}, item=items)


@pytest.mark.parametrize(
    ("measure", "answers", "value", "band"),
    [
        ("peg", [0, 0, 0], "0", "mild"),
        ("peg", [10, 10, 10], "10", "severe"),
        ("peg", [4, 4, 3], "3.67", "mild"),
        ("peg", [4, 4, 4], "4", "moderate"),
        ("peg", [7, 7, 6], "6.67", "moderate"),
        ("peg", [7, 7, 7], "7", "severe"),
        ("peg", [8, 5, 2], "5", "moderate"),
        ("peg", [1, 0, 0], "0.33", "mild"),
        ("phq-9", [0] * 9, "0", "minimal"),
        ("phq-9", [1, 1, 1, 1, 0, 0, 0, 0, 0], "4", "minimal"),
        ("phq-9", [1, 1, 1, 1, 1, 0, 0, 0, 0], "5", "mild"),
        ("phq-9", [1] * 9, "9", "mild"),
        ("phq-9", [2, 1, 1, 1, 1, 1, 1, 1, 1], "10", "moderate"),
        ("phq-9", [2, 2, 2, 2, 2, 1, 1, 1, 1], "14", "moderate"),
        ("phq-9", [2, 2, 2, 2, 2, 2, 1, 1, 1], "15", "moderately-severe"),
        ("phq-9", [3, 2, 2, 2, 2, 2, 2, 2, 2], "19", "moderately-severe"),
        ("phq-9", [3, 3, 2, 2, 2, 2, 2, 2, 2], "20", "severe"),
        ("phq-9", [3] * 9, "27", "severe"),
        ("gad-7", [0] * 7, "0", "minimal"),
        ("gad-7", [1, 1, 1, 1, 0, 0, 0], "4", "minimal"),
        ("gad-7", [1, 1, 1, 1, 1, 0, 0], "5", "mild"),
        ("gad-7", [3, 1, 1, 1, 1, 1, 1], "9", "mild"),
        ("gad-7", [3, 2, 1, 1, 1, 1, 1], "10", "moderate"),
        ("gad-7", [2] * 7, "14", "moderate"),
        ("gad-7", [3, 2, 2, 2, 2, 2, 2], "15", "severe"),
        ("gad-7", [3] * 7, "21", "severe"),
    ],
)
def test_an_answered_questionnaire_has_its_score_and_band(
    measure: str, answers: list[int], value: str, band: str
) -> None:
    found = scored(measure, ours(measure, answers))
    assert found.value is not None
    assert (as_decimal(found.value), BY_ID[measure].band(found.value)) == (Decimal(value), band)
    assert (found.missing, found.unreadable, found.prorated) == ((), (), False)


@pytest.mark.parametrize(
    ("measure", "answers", "value", "band"),
    [
        ("isi", [1, 1, 1, 1, 1, 1, 1], "7", "none"),
        ("isi", [2, 1, 1, 1, 1, 1, 1], "8", "subthreshold"),
        ("isi", [2, 2, 2, 2, 2, 2, 2], "14", "subthreshold"),
        ("isi", [3, 2, 2, 2, 2, 2, 2], "15", "moderate"),
        ("isi", [3, 3, 3, 3, 3, 3, 3], "21", "moderate"),
        ("isi", [4, 3, 3, 3, 3, 3, 3], "22", "severe"),
        ("isi", [4, 4, 4, 4, 4, 4, 4], "28", "severe"),
        ("pcs", [4, 4, 4, 4, 4, 4, 4, 2, 0, 0, 0, 0, 0], "30", "below-cutoff"),
        ("pcs", [4, 4, 4, 4, 4, 4, 4, 3, 0, 0, 0, 0, 0], "31", "clinically-relevant"),
        ("pcs", [4] * 13, "52", "clinically-relevant"),
        ("tsk-11", [1] * 11, "11", "minimal"),
        ("tsk-11", [2] * 11, "22", "minimal"),
        ("tsk-11", [3] + [2] * 10, "23", "low"),
        ("tsk-11", [3] * 6 + [2] * 5, "28", "low"),
        ("tsk-11", [3] * 7 + [2] * 4, "29", "moderate"),
        ("tsk-11", [4, 4] + [3] * 9, "35", "moderate"),
        ("tsk-11", [4, 4, 4] + [3] * 8, "36", "high"),
        ("tsk-11", [4] * 11, "44", "high"),
        ("odi", [1] * 10, "20", "minimal"),
        ("odi", [2] + [1] * 9, "22", "moderate"),
        ("odi", [2] * 10, "40", "moderate"),
        ("odi", [3] + [2] * 9, "42", "severe"),
        ("odi", [3] * 10, "60", "severe"),
        ("odi", [4] + [3] * 9, "62", "crippled"),
        ("odi", [5] * 10, "100", "crippled"),
        ("odi", [None] + [1] * 9, "20", "minimal"),
        ("odi", [None, 2] + [1] * 8, "22.22", "moderate"),
        ("start-back", [1] * 9, "9", None),
    ],
)
def test_a_questionnaire_that_is_not_shipped_is_scored_by_item_codes(
    measure: str, answers: list[int | None], value: str, band: str | None
) -> None:
    found = scored(measure, by_codes(measure, answers))
    assert found.value is not None
    assert (as_decimal(found.value), BY_ID[measure].band(found.value)) == (Decimal(value), band)


@pytest.mark.parametrize(
    ("measure", "value", "band"),
    [
        ("pain-nrs", "0", "mild"),
        ("pain-nrs", "5", "mild"),
        ("pain-nrs", "5.5", "moderate"),
        ("pain-nrs", "6", "moderate"),
        ("pain-nrs", "7", "moderate"),
        ("pain-nrs", "8", "severe"),
        ("ort", "0", "low"),
        ("ort", "3", "low"),
        ("ort", "4", "moderate"),
        ("ort", "7", "moderate"),
        ("ort", "8", "high"),
        ("promis-29-pain-interference", "54.9", "normal"),
        ("promis-29-pain-interference", "55", "mild"),
        ("promis-29-pain-interference", "60", "moderate"),
        ("promis-29-pain-interference", "65", "moderately-severe"),
        ("promis-29-pain-interference", "70", "severe"),
        ("promis-29-physical-function", "45.1", "normal"),
        ("promis-29-physical-function", "45", "mild"),
        ("promis-29-physical-function", "40", "moderate"),
        ("promis-29-physical-function", "35", "moderately-severe"),
        ("promis-29-physical-function", "30", "severe"),
    ],
)
def test_bands_begin_where_the_table_says(measure: str, value: str, band: str) -> None:
    assert BY_ID[measure].band(Fraction(value)) == band


@pytest.mark.parametrize(
    ("measure", "answers", "value", "missing"),
    [
        ("phq-9", [None, 1, 1, 1, 1, 1, 1, 1, 1], 9, 1),
        ("phq-9", [None, None, 3, 1, 1, 1, 1, 1, 1], 12, 2),  # 9 / 7 * 9 = 11.57
        ("phq-9", [None, 2, 0, 0, 0, 0, 2, 0, 0], 5, 1),  # 4 / 8 * 9 = 4.5, half up
        ("phq-9", [None, None, None, 1, 1, 1, 1, 1, 1], None, 3),
        ("phq-9", [3, 3, 3, 3, 3, 3, 3, 3, None], None, 1),  # item 9 is never replaced
        ("phq-9", [None] * 9, None, 9),
        ("gad-7", [None, 1, 1, 1, 1, 1, 1], None, 1),
        ("peg", [None, 5, 5], None, 1),
    ],
)
def test_missing_items_are_replaced_where_the_measure_says_so(
    measure: str, answers: list[int | None], value: int | None, missing: int
) -> None:
    found = scored(measure, ours(measure, answers))
    assert (found.value, len(found.missing)) == (value, missing)
    assert found.prorated is (value is not None)


def test_one_section_of_the_odi_may_be_missing_and_two_may_not() -> None:
    assert scored("odi", by_codes("odi", [None] + [5] * 9)).value == 100
    assert scored("odi", by_codes("odi", [None, None] + [5] * 8)).value is None


@pytest.mark.parametrize(
    "answer",
    [
        integer(4),
        integer(-1),
        {"valueDecimal": Decimal("1.5")},
        {"valueString": "a little"},
        {"valueBoolean": True},
        coded("LA0000-0"),
        {"valueCoding": {"system": "urn:mine", "code": "1"}},
        {"valueQuantity": {"value": 1, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}},
        {"valueQuantity": {"value": 1, "comparator": "<"}},
        {"valueReference": {"reference": "Observation/x"}},
    ],
)
def test_an_answer_that_is_not_understood_is_not_replaced_and_not_scored(answer: Resource) -> None:
    found = scored("phq-9", ours("phq-9", [answer, *[1] * 8]))
    assert found.value is None
    assert [item.link for item in found.unreadable] == ["phq9-1"]


@pytest.mark.parametrize(
    "answer",
    [
        integer(2),
        {"valueDecimal": Decimal("2.0")},
        {"valueString": "2"},
        {"valueString": " More than half the days "},
        coded("LA6570-1"),
        {"valueCoding": {"code": "b", "system": "urn:mine", "display": "More than half the days"}},
        {
            "valueCoding": {
                "code": "b",
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 2}],
            }
        },
        {"valueQuantity": {"value": 2}},
    ],
)
def test_an_answer_counts_however_it_is_written(answer: Resource) -> None:
    assert scored("phq-9", ours("phq-9", [answer, *[1] * 8])).value == 10


def test_an_item_that_is_answered_twice_and_differently_is_not_understood() -> None:
    twice = ours("peg", [5, 5, 5])
    twice["item"].append({"linkId": "peg-1", "answer": [integer(6)]})
    assert [item.link for item in scored("peg", twice).unreadable] == ["peg-1"]
    twice["item"][-1] = {"linkId": "peg-1", "answer": [integer(5)]}
    assert scored("peg", twice).value == 5


@pytest.mark.parametrize("link", ["{}", "/{}", "/44249-1/{}"])
def test_items_of_other_questionnaires_are_known_by_their_loinc_codes_however_deep(link: str) -> None:
    items: list[Resource] = [{"linkId": link.format(code), "answer": [coded("LA6569-3")]} for code in LOINC_PHQ9]
    nested = response(
        {}, item=[{"linkId": "group", "item": items[:4]}, {"linkId": "a", "answer": [{"item": items[4:]}]}]
    )
    assert scored("phq-9", nested).value == 9


@pytest.mark.parametrize("codes", [LOINC_PHQ9[:2], LOINC_PHQ9[:8], LOINC_PHQ9[-1:]])
def test_phq_2_and_phq_8_are_no_phq_9(codes: tuple[str, ...]) -> None:
    reading = read(response({code: coded("LA6571-9") for code in codes}))["phq-9"]
    assert not holds(BY_ID["phq-9"], reading)


def test_local_codes_count_by_definition_only() -> None:
    """``pcs-1`` may mean anything in a questionnaire that is not ours."""
    assert read(response({f"pcs-{number}": 1 for number in range(1, 14)})) == {}


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ({"valueDecimal": Decimal(12)}, 12),
        (integer(12), 12),
        ({"valueQuantity": {"value": 12, "code": "{score}", "system": "http://unitsofmeasure.org"}}, 12),
        ({"valueQuantity": {"value": 12, "code": "%", "system": "http://unitsofmeasure.org"}}, None),
        (integer(28), None),
        ({"valueString": "twelve"}, None),
    ],
)
def test_a_total_that_the_response_states_counts_where_it_has_no_items(answer: Resource, value: int | None) -> None:
    found = scored("phq-9", response({"44261-6": answer}))
    assert (found.value, found.stated) == (value, True)


@pytest.mark.parametrize(("totals", "value"), [([12, None], 12), ([None, 12], 12), ([12, 12], 12), ([12, 13], None)])
def test_a_total_that_is_stated_twice_and_differently_is_none(totals: list[int | None], value: int | None) -> None:
    items = [{"linkId": "44261-6"} | ({} if each is None else {"answer": [integer(each)]}) for each in totals]
    assert scored("phq-9", response({}, item=items)).value == value


def test_a_deeply_nested_form_is_read() -> None:
    item: Resource = {"linkId": "44261-6", "answer": [integer(12)]}
    for _ in range(5_000):
        item = {"linkId": "group", "item": [item]}
    assert scored("phq-9", response({}, item=[item])).value == 12


def test_items_count_more_than_a_stated_total() -> None:
    both = response({code: coded("LA6569-3") for code in LOINC_PHQ9} | {"44261-6": integer(20)})
    assert scored("phq-9", both).value == 9
    del both["item"][8]
    found = scored("phq-9", both)
    assert (found.value, found.stated) == (None, False)


@given(st.lists(st.sampled_from([None, *range(-1, 12), "x", Unread.UNREADABLE]), min_size=9, max_size=9))
def test_a_score_is_in_range_or_says_why_it_is_none(answers: list[Any]) -> None:
    given_ = [{"valueString": "?"} if isinstance(answer, str | Unread) else answer for answer in answers]
    for measure in ("peg", "phq-9", "gad-7"):
        of = BY_ID[measure]
        found = scored(measure, ours(measure, given_[: len(of.items)]))
        if found.value is None:
            assert found.missing or found.unreadable
        else:
            assert of.low <= found.value <= of.high
            assert not found.unreadable


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)
def test_a_row_of_the_table_is_consistent(measure: Measure) -> None:
    starts = [band.start for band in measure.bands]
    assert starts == sorted(set(starts))
    assert not starts or starts[0] == measure.low
    assert (measure.bands_source is None) is (not measure.bands)
    assert measure.completeness
    assert measure.licence
    assert not (measure.substantial and not measure.responder)
    assert not (measure.responder and not measure.matters)
    assert measure.band(Fraction(measure.high)) is not None or not measure.bands


def test_no_code_means_two_things() -> None:
    for kind in (
        [code for measure in MEASURES for code in measure.codes],
        [item.link for measure in MEASURES for item in measure.items],
        [code for measure in MEASURES for item in measure.items for code in item.codes],
    ):
        assert len(kind) == len(set(kind))
