"""What a search may ask for, and how it is refused."""

from datetime import UTC, datetime

import pytest

from shared.errors import Invalid, NotSupported
from shared.fhir.search.filters import Dates, DateTest, Ids, Patients, Terms
from shared.fhir.search.parse import parse
from shared.fhir.search.query import LARGEST_COUNT, Query

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def asked(type_: str, *parameters: tuple[str, str], strict: bool = False) -> Query:
    return parse(type_, parameters, base="http://test/fhir", strict=strict, now=NOW)


@pytest.mark.parametrize("value", ["x1", "Patient/x1", "http://test/fhir/Patient/x1", "Patient/x1/_history/3"])
@pytest.mark.parametrize("name", ["patient", "patient:Patient", "subject:Patient"])
def test_all_ways_to_name_a_patient_agree(name: str, value: str) -> None:
    assert asked("CarePlan", (name, value)).filters == (Patients(("x1",)),)


def test_a_reference_to_the_wrong_type_matches_nothing() -> None:
    assert asked("CarePlan", ("patient", "Group/x1")).filters == (Terms(()),)


@pytest.mark.parametrize(
    ("type_", "name", "value"),
    [
        ("CarePlan", "status:exact", "active"),
        ("CarePlan", "status:text", "active"),
        ("CarePlan", "date:not", "2024"),
        ("CarePlan", "subject:Bogus", "x"),
        ("CarePlan", "_id:exact", "x"),
        ("Patient", "name:not", "x"),
        ("CarePlan", "status", "a|b|c"),
        ("CarePlan", "status", ""),
        ("CarePlan", "status", "active,"),
        ("CarePlan", "status", "a\x00"),
        ("CarePlan", "date", "yesterday"),
        ("CarePlan", "date", "xx2024"),
        ("CarePlan", "date", "2024-13"),
        ("CarePlan", "date:missing", "maybe"),
        ("CarePlan", "date", ",".join(["2024"] * 501)),
        ("Patient", "name", ",".join(["robin"] * 501)),
        ("Observation", "value-quantity", ",".join(["5"] * 501)),
        ("Observation", "value-quantity", "heavy"),
        ("Task", "focus", "x1"),
        ("CarePlan", "_count", "-1"),
        ("CarePlan", "_count", "ten"),
        ("CarePlan", "_count", "٣"),
        ("CarePlan", "_sort", "identifier"),
        ("CarePlan", "_sort", "bogus"),
        ("CarePlan", "_sort:desc", "date"),
        ("CarePlan", "_total", "exact"),
        ("CarePlan", "_summary", "short"),
        ("CarePlan", "_elements", "colour"),
        ("CarePlan", "_include", "CarePlan:bogus"),
        ("CarePlan", "_include", "Bogus:subject"),
        ("CarePlan", "_include", "CarePlan:status"),
        ("CarePlan", "_revinclude", "Provenance"),
        ("CarePlan", "_cursor", "zzz"),
    ],
)
def test_what_is_malformed_is_invalid_and_never_repeated(type_: str, name: str, value: str) -> None:
    with pytest.raises(Invalid) as error:
        asked(type_, (name, value))
    assert len(value) < 4 or value not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_text", "x"),
    ],
)
def test_what_comes_later_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(NotSupported):
        asked("CarePlan", (name, value))


def test_an_unknown_parameter_is_left_out_of_the_links() -> None:
    query = asked("CarePlan", ("bogus", "1"), ("status", "active"), ("_format", "json"))
    assert query.applied == (("status", "active"), ("_format", "json"))


def test_an_unknown_parameter_is_invalid_when_handling_is_strict() -> None:
    with pytest.raises(Invalid):
        asked("CarePlan", ("bogus", "1"), strict=True)


def test_two_ends_of_one_date_are_one_window() -> None:
    [window] = asked("CarePlan", ("date", "ge2024"), ("date", "lt2025-02")).filters
    assert isinstance(window, Dates)
    assert window.every
    assert [test.prefix for test in window.tests] == ["ge", "lt"]


def test_two_dates_of_an_element_that_repeats_stay_apart() -> None:
    assert len(asked("CarePlan", ("activity-date", "ge2024"), ("activity-date", "lt2025")).filters) == 2


def test_a_plus_that_was_not_encoded_is_still_a_time_zone() -> None:
    first = asked("CarePlan", ("date", "ge2024-01-01T10:00:00 02:00")).filters
    assert first == asked("CarePlan", ("date", "ge2024-01-01T08:00:00Z")).filters
    assert isinstance(first[0], Dates)
    assert isinstance(first[0].tests[0], DateTest)


def test_escaped_commas_belong_to_the_value() -> None:
    assert asked("CarePlan", ("_id", r"a\,b,c")).filters == (Ids(("a,b", "c")),)


def test_the_count_is_capped() -> None:
    assert asked("CarePlan", ("_count", "999999")).count == LARGEST_COUNT


@pytest.mark.parametrize(
    ("type_", "name", "value"),
    [
        ("CareTeam", "role", "x"),
        ("Goal", "description", "x"),
        ("Task", "output", "Observation/x"),
        ("ServiceRequest", "supporting-info", "Observation/x"),
    ],
)
def test_parameters_of_the_guides_are_known(type_: str, name: str, value: str) -> None:
    assert asked(type_, (name, value), strict=True).applied == ((name, value),)
