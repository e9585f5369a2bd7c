"""What a service is for comes from codes; each finer than, and in keeping with, the disciplines."""

import re
from pathlib import Path
from typing import Any

import pytest

from services.referrals.domain.discipline import DISCIPLINES, LOCAL, NUCC, SNOMED
from services.referrals.domain.specialty import (
    DISCIPLINE_OF,
    OF_DISCIPLINE,
    SERVICE_CATEGORY,
    SERVICE_TYPE,
    SPECIALTIES,
    SPECIALTY,
    Specialty,
    asked_for,
    codes_of,
    disciplines,
    offered,
)
from shared.security.caller import Discipline
from tests.factories.referrals import concept

BOTH = {"coding": [*concept(LOCAL, "mental-health")["coding"], *concept(SNOMED, "308477009")["coding"]]}
AGAINST_EACH_OTHER = [concept(SNOMED, "308459004"), concept(SNOMED, "308447003")]


def test_every_code_of_a_discipline_is_for_specialties_of_that_discipline() -> None:
    for code, discipline in DISCIPLINES.items():
        assert SPECIALTIES[code]
        assert SPECIALTIES[code] <= OF_DISCIPLINE[discipline], code


def test_no_code_is_for_specialties_of_two_disciplines() -> None:
    assert all(len({DISCIPLINE_OF[each] for each in named}) == 1 for named in SPECIALTIES.values())


def test_occupational_therapy_complementary_care_and_peers_are_of_no_discipline() -> None:
    without = {each for each in Specialty if DISCIPLINE_OF[each] is None}
    assert without == {Specialty.OCCUPATIONAL_THERAPY, Specialty.COMPLEMENTARY, Specialty.PEER_SUPPORT}
    assert disciplines(without) == frozenset()
    assert disciplines(Specialty) == frozenset(Discipline)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([concept(SNOMED, "308459004")], {"psychology"}),
        ([concept(SNOMED, "390866009")], {"psychology", "psychiatry"}),
        ([concept(SNOMED, "308453003")], {"occupational-therapy"}),
        ([concept(NUCC, "175T00000X")], {"peer-support"}),
        ([concept(SNOMED, "3457005"), [concept(NUCC, "225100000X")]], {"physical-therapy"}),
        # two codings of one concept: the finer counts
        ([BOTH], {"psychiatry"}),
        # they contradict: the next place is asked
        ([AGAINST_EACH_OTHER, concept(LOCAL, "pain-medicine")], {"pain-medicine"}),
        ([{"text": "psychologist"}], set()),
        ([None, {}, []], set()),
        ([concept("urn:oid:9", "308459004")], set()),
        ([{"coding": [{"code": "psychology"}]}], set()),
    ],
)
def test_a_referral_is_for_what_the_first_place_says_that_is_known(places: list[Any], expected: set[str]) -> None:
    assert asked_for(places) == expected


def test_a_service_offers_all_that_its_codes_name() -> None:
    both = offered([concept(SPECIALTY, "psychology")], [concept(SERVICE_TYPE, "13")], None)
    assert both == {Specialty.PSYCHOLOGY, Specialty.COMPLEMENTARY}


@pytest.mark.parametrize("specialty", Specialty)
def test_what_is_looked_for_by_codes_is_what_they_name(specialty: Specialty) -> None:
    found = codes_of({specialty})
    assert (SPECIALTY, specialty.value) in found
    assert found == sorted(code for code, named in SPECIALTIES.items() if specialty in named)


def test_the_page_for_who_keeps_a_directory_has_the_codes() -> None:
    text = (Path(__file__).parents[4] / "docs" / "interop.md").read_text()
    section = text.partition("### What a service is for")[2].partition("\n##")[0]
    _, _, *rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    systems = {"SNOMED CT": SNOMED, "NUCC": NUCC, "service-type": SERVICE_TYPE, "service-category": SERVICE_CATEGORY}
    told: dict[tuple[str, str], set[str]] = {}
    for code, *cells in rows:
        for system, cell in zip(systems.values(), cells, strict=True):
            for each in re.findall(r"`(\w+)`", cell):
                told.setdefault((system, each), set()).add(code.strip().strip("`"))
    assert told == {key: set(named) for key, named in SPECIALTIES.items() if key[0] not in (LOCAL, SPECIALTY)}
