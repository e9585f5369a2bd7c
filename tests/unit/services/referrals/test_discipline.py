"""The discipline comes from codes, in a fixed order of places."""

import re
from pathlib import Path
from typing import Any

import pytest

from services.referrals.domain.discipline import DISCIPLINES, LOCAL, NUCC, SNOMED, discipline_of
from shared.security.caller import Discipline
from tests.factories.referrals import REQUESTER, concept, order, reference, task
from tests.unit.services.referrals.deciding import decide_task

PAIN, MIND, BODY = Discipline.PAIN_MEDICINE, Discipline.MENTAL_HEALTH, Discipline.PHYSICAL_THERAPY
GENERAL = concept(SNOMED, "3457005")  # patient referral


def found(task_: dict[str, Any], *known: dict[str, Any]) -> Discipline | None:
    return discipline_of(task_, {f"{resource['resourceType']}/{resource['id']}": resource for resource in known})


@pytest.mark.parametrize(
    ("code", "discipline"),
    [
        ("306265007", PAIN),
        ("308459004", MIND),
        ("308477009", MIND),
        ("306343005", MIND),
        ("390866009", MIND),
        ("308447003", BODY),
        ("308453003", None),
        ("103699006", None),
        ("3457005", None),
    ],
)
def test_the_order_says_to_whom(code: str, discipline: Discipline | None) -> None:
    assert found(task(), order(code=concept(SNOMED, code))) is discipline


@pytest.mark.parametrize(
    ("about_order", "about_task", "discipline"),
    [
        ({"category": [concept(SNOMED, "91251008")]}, {}, BODY),
        ({"category": [GENERAL, concept(LOCAL, "pain-medicine")]}, {}, PAIN),
        ({"performerType": concept(NUCC, "225100000X")}, {}, BODY),
        ({}, {"performerType": [concept(NUCC, "2084P0800X")]}, MIND),
        ({"category": [concept(SNOMED, "91251008")]}, {"performerType": [concept(NUCC, "2084P0800X")]}, BODY),
        ({"code": concept("urn:oid:9", "308459004")}, {}, None),
        ({"code": {"text": "physiotherapist"}}, {}, None),
        ({"code": {"coding": [{"code": "308459004"}]}}, {}, None),
    ],
)
def test_the_first_place_that_names_one_counts(
    about_order: dict[str, Any], about_task: dict[str, Any], discipline: Discipline | None
) -> None:
    assert found(task(**about_task), order(**({"code": GENERAL} | about_order))) is discipline


def test_a_place_that_names_two_names_none() -> None:
    both = {"coding": [{"system": SNOMED, "code": "308459004"}, {"system": SNOMED, "code": "308447003"}]}
    assert found(task(), order(code=both, performerType=concept(NUCC, "225100000X"))) is BODY
    assert found(task(), order(code=both)) is None


@pytest.mark.parametrize("type_", ["PractitionerRole", "HealthcareService"])
def test_at_last_the_owners_specialty_is_asked(type_: str) -> None:
    owner = {"resourceType": type_, "id": "x", "specialty": [concept(SNOMED, "394882004")]}
    assert found(task(owner=reference(f"{type_}/x")), order(code=GENERAL), owner) is PAIN


def test_the_discipline_is_kept_as_a_tag_beside_the_tags_of_others() -> None:
    others = {"system": "urn:oid:9", "code": "x"}
    stale = {"system": LOCAL, "code": "pain-medicine"}
    decision = decide_task(task(), task(meta={"tag": [others, stale]}, priority="urgent"), REQUESTER)
    assert decision.resource is not None
    assert decision.resource["meta"]["tag"] == [others, {"system": LOCAL, "code": "mental-health"}]
    again = decide_task(task(), decision.resource, REQUESTER).resource
    assert again is decision.resource


def test_a_tag_of_ours_counts_where_no_other_code_does() -> None:
    tagged_ = task(meta={"tag": [{"system": LOCAL, "code": "pain-medicine"}]})
    assert found(tagged_, order(code=GENERAL)) is PAIN
    assert found(tagged_, order()) is MIND


def test_nothing_known_is_no_discipline() -> None:
    assert found(task()) is None


def test_the_page_for_who_connects_an_ehr_has_the_codes() -> None:
    text = (Path(__file__).parents[4] / "docs" / "interop.md").read_text()
    section = text.partition("## Which discipline")[2].partition("\n## ")[0]
    header, _, *rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("|")]
    systems = [re.findall(r"`(.+)`", cell) for cell in header[1:]]
    assert systems == [[SNOMED], [NUCC]]
    told = {
        (system, code): Discipline(row[0].strip().strip("`"))
        for row in rows
        for (system,), cell in zip(systems, row[1:], strict=True)
        for code in re.findall(r"`(\w+)`", cell)
    }
    assert told == {key: discipline for key, discipline in DISCIPLINES.items() if key[0] != LOCAL}
    assert f"`{LOCAL}`" in section
