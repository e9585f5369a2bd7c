"""Constraints exclude, preferences order: by rules with names, for reasons that are told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals.domain.ages import AgeRange
from services.referrals.domain.candidate import Candidate
from services.referrals.domain.dates import days_of_period
from services.referrals.domain.distance import Place
from services.referrals.domain.matching import rank, violated
from services.referrals.domain.needs import Needs, Requirement
from services.referrals.domain.offering import Modality
from services.referrals.domain.specialty import Specialty
from services.referrals.domain.ties import Tie
from services.referrals.domain.waiting import UNKNOWN
from tests.unit.services.referrals.candidates import PSYCHOLOGY, candidate, needs, slots, waited

HERE = Place(0, 0)
BY_VIDEO, ON_SITE = frozenset({Modality.TELEHEALTH}), frozenset({Modality.ON_SITE})
EN = frozenset({"en"})


def away(start: str, end: str | None = None) -> dict[str, Any]:
    return {"absences": (days_of_period({"start": start, "end": end}),)}


@pytest.mark.parametrize(
    ("constraint", "excluded", "taken", "asked"),
    [
        ("inactive", {"active": False}, {}, {}),
        (
            "inactive",
            {"period": days_of_period({"end": "2026-03-01"})},
            {"period": days_of_period({"end": "2026-03"})},
            {},
        ),
        ("specialty", {"specialties": frozenset({Specialty.PSYCHIATRY})}, {}, {}),
        ("specialty", {"specialties": frozenset()}, {"specialties": PSYCHOLOGY | {Specialty.PSYCHIATRY}}, {}),
        ("age", {"ages": (AgeRange(None, 17),)}, {"ages": (AgeRange(None, 17), AgeRange(40, 44))}, {"age": 44}),
        ("age", {"ages": (AgeRange(45, None),)}, {"ages": ()}, {"age": 44}),
        ("payer", {"payers": {"Organization/x"}}, {"payers": {"Organization/a"}}, {"payer": "Organization/a"}),
        ("payer", {"payers": {"Organization/x"}}, {}, {"payer": "Organization/a"}),
        ("not-available", away("2026-03"), away("2026-03", "2026-03-20"), {}),
        ("not-available", away("2026-03", "2026-04"), away("2026-03-03", "2026-09"), {}),
        ("distance", {"distance_km": 10.1}, {"distance_km": 10.0}, {"max_distance_km": 10}),
        ("distance", {"distance_km": 11}, {"distance_km": None}, {"max_distance_km": 10}),
        ("distance", {"distance_km": 11}, {"distance_km": 11, "modalities": BY_VIDEO}, {"max_distance_km": 10}),
        (
            "distance",
            {"distance_km": 11, "modalities": BY_VIDEO},
            {"distance_km": 9},
            {"max_distance_km": 10, "modalities": ON_SITE},
        ),
        (
            "capacity",
            {"weekly_capacity": 2, "load": slots(None, 2)},
            {"weekly_capacity": 2, "load": slots(None, 1)},
            {"required": {"capacity"}},
        ),
        ("capacity", {"load": slots(0)}, {"load": slots(None)}, {"required": {"capacity"}}),
        ("capacity", {"weekly_capacity": 0}, {"weekly_capacity": 0, "load": slots(1)}, {"required": {"capacity"}}),
        ("capacity", {"accepting": False, "load": slots(3)}, {"accepting": True}, {"required": {"capacity"}}),
        (
            "language",
            {"languages": EN},
            {"languages": frozenset({"en", "es"})},
            {"languages": ("es-MX",), "required": {"language"}},
        ),
        ("language", {"languages": EN}, {}, {"languages": ("es",), "required": {"language"}}),
        (
            "modality",
            {"modalities": ON_SITE},
            {"modalities": BY_VIDEO},
            {"modalities": BY_VIDEO, "required": {"modality"}},
        ),
        ("modality", {"modalities": ON_SITE}, {}, {"modalities": BY_VIDEO, "required": {"modality"}}),
    ],
)
def test_a_constraint_excludes_what_it_names_and_nothing_that_is_unknown(
    constraint: str, excluded: dict[str, Any], taken: dict[str, Any], asked: dict[str, Any]
) -> None:
    if "required" in asked:
        asked = asked | {"required": frozenset(Requirement(each) for each in asked["required"])}
    ranking = rank([candidate("no", **excluded), candidate("yes", **taken)], needs(**asked))
    assert [match.candidate.offering.reference for match in ranking.matches] == ["HealthcareService/yes"]
    (out,) = ranking.excluded
    assert [each.constraint for each in out.because] == [constraint]
    assert out.because[0].text.endswith(".")


@pytest.mark.parametrize(
    ("excluded", "asked"),
    [
        ({"weekly_capacity": 0}, {}),
        ({"languages": EN}, {"languages": ("es",)}),
        ({"modalities": ON_SITE}, {"modalities": BY_VIDEO}),
        ({"languages": EN}, {"required": frozenset({Requirement.LANGUAGE})}),
    ],
)
def test_a_wish_is_no_condition_unless_it_is_asked_for_as_one(excluded: dict[str, Any], asked: dict[str, Any]) -> None:
    assert violated(candidate(**excluded), needs(**asked)) == ()


def test_all_that_speaks_against_a_service_is_told() -> None:
    both = candidate(active=False, payers={"Organization/x"})
    assert [each.constraint for each in violated(both, needs(payer="Organization/y"))] == ["inactive", "payer"]


def test_an_absence_tells_when_it_ends() -> None:
    (told,) = violated(candidate(**away("2026-03", "2026-05")), needs())
    assert told.text == "It is not available until 2026-06-01."


@pytest.mark.parametrize(
    ("better", "worse", "asked", "codes"),
    [
        ({"seen_before": Tie.SAME}, {"seen_before": Tie.ORGANIZATION}, {}, ("seen-before", "seen-in-organization")),
        ({"seen_before": Tie.ORGANIZATION}, {}, {}, ("seen-in-organization", "not-seen-before")),
        ({"languages": frozenset({"es"})}, {}, {"languages": ("es",)}, ("language", "language-unknown")),
        ({}, {"languages": EN}, {"languages": ("es",)}, ("language-unknown", "language-differs")),
        ({"modalities": BY_VIDEO}, {"modalities": ON_SITE}, {"modalities": BY_VIDEO}, ("modality", "modality-differs")),
        ({"locations": {"Location/l"}}, {}, {"locations": {"Location/l"}}, ("location", "location-differs")),
        ({"practitioner": "Practitioner/p"}, {}, {"performers": {"Practitioner/p"}}, ("named", "not-named")),
        ({"distance_km": 3.0}, {"distance_km": 12.0}, {"place": HERE}, ("distance", "distance")),
        (
            {"modalities": BY_VIDEO, "distance_km": 99.0},
            {"distance_km": 1.0},
            {"place": HERE},
            ("telehealth", "distance"),
        ),
        ({"distance_km": 3.0}, {}, {"place": HERE}, ("distance", "distance-unknown")),
        ({"waiting": waited(3)}, {"waiting": waited(30)}, {}, ("wait", "wait")),
        ({"waiting": waited(3)}, {}, {}, ("wait", "wait-unknown")),
        ({}, {"waiting": waited(30)}, {}, ("wait-unknown", "wait")),
        ({"load": slots(3)}, {"load": slots(0)}, {}, ("room", "full")),
    ],
)
def test_a_preference_puts_the_better_one_first_and_says_why(
    better: dict[str, Any], worse: dict[str, Any], asked: dict[str, Any], codes: tuple[str, str]
) -> None:
    ranking = rank([candidate("a", **worse), candidate("b", **better)], needs(**asked))
    first, second = ranking.matches
    assert (first.candidate.offering.reference, second.candidate.offering.reference) == (
        "HealthcareService/b",
        "HealthcareService/a",
    )
    assert first.score > second.score
    for match, code in zip((first, second), codes, strict=True):
        (reason,) = [each for each in match.reasons if each.code == code]
        assert reason.text.endswith(".")


def test_a_short_wait_counts_for_more_where_it_is_urgent() -> None:
    known, soon = (
        candidate("known", seen_before=Tie.ORGANIZATION, waiting=waited(20)),
        candidate("soon", waiting=waited(2)),
    )
    assert names(rank([known, soon], needs())) == ["known", "soon"]
    assert names(rank([known, soon], needs(urgent=True))) == ["soon", "known"]


def test_equals_come_by_wait_then_way_then_name() -> None:
    found = [
        candidate("c", distance_km=1),
        candidate("b", distance_km=2),
        candidate("a"),
        candidate("d", distance_km=1),
    ]
    assert names(rank(found, needs())) == ["c", "d", "b", "a"]


def names(ranking: Any) -> list[str]:
    return [match.candidate.offering.reference.partition("/")[2] for match in ranking.matches]


some = st.builds(
    candidate,
    st.sampled_from("abcdefgh"),
    active=st.booleans(),
    specialties=st.sampled_from([PSYCHOLOGY, frozenset(), frozenset({Specialty.PSYCHIATRY})]),
    languages=st.frozensets(st.sampled_from(["en", "es", "fr"])),
    modalities=st.frozensets(st.sampled_from(list(Modality))),
    ages=st.sampled_from([(), (AgeRange(18, 64),), (AgeRange(None, 11),)]),
    payers=st.frozensets(st.sampled_from(["Organization/a", "Organization/b"])),
    weekly_capacity=st.none() | st.integers(0, 3),
    accepting=st.none() | st.booleans(),
    waiting=st.just(UNKNOWN) | st.builds(waited, st.floats(0, 400)),
    load=st.builds(slots, st.none() | st.integers(0, 3), st.integers(0, 3)),
    distance_km=st.none() | st.floats(0, 20_000),
    seen_before=st.none() | st.sampled_from(list(Tie)),
)
directories = st.lists(some, max_size=8, unique_by=lambda each: each.offering.reference)
wishes: dict[str, st.SearchStrategy[Any]] = {
    "languages": st.sampled_from([("es",), ("fr", "en")]),
    "modalities": st.frozensets(st.sampled_from(list(Modality)), min_size=1),
    "place": st.just(HERE),
    "urgent": st.just(True),
    "locations": st.just(frozenset({"Location/l"})),
    "performers": st.just(frozenset({"HealthcareService/a"})),
}
asked_for = st.builds(
    needs,
    age=st.none() | st.integers(0, 100),
    payer=st.none() | st.just("Organization/a"),
    max_distance_km=st.none() | st.floats(0, 100),
    required=st.frozensets(st.sampled_from(list(Requirement))),
)


@given(directories, asked_for, st.randoms())
def test_every_candidate_is_ranked_or_excluded_and_the_order_in_does_not_matter(
    found: list[Candidate], asked: Needs, random: Any
) -> None:
    ranking = rank(found, asked)
    listed = [each.candidate for each in (*ranking.matches, *ranking.excluded)]
    assert sorted(each.offering.reference for each in listed) == sorted(each.offering.reference for each in found)
    mixed = list(found)
    random.shuffle(mixed)
    assert rank(mixed, asked) == ranking
    assert all(each.because for each in ranking.excluded)
    scores = [match.score for match in ranking.matches]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


@given(directories, asked_for, st.data())
def test_a_wish_more_brings_in_nobody_and_excludes_nobody(found: list[Candidate], asked: Needs, data: Any) -> None:
    asked = replace(asked, required=frozenset(), max_distance_km=None)
    more = {name: data.draw(wishes[name]) for name in data.draw(st.sets(st.sampled_from(sorted(wishes))))}
    before, after = rank(found, asked), rank(found, replace(asked, **more))
    assert {each.candidate for each in after.matches} == {each.candidate for each in before.matches}
