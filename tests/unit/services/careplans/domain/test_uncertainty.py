"""Diagnoses that are not certain: which they are, by when they are looked at again, and what they must say."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.careplans.domain.standing import stand
from services.careplans.domain.uncertainty import RED_FLAG, REVISIT_BY, Diagnosis, Uncertain, check_condition, diagnosis
from shared.errors import Unprocessable
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.test_standing import CREATED, NOW, plan

BY = {"url": REVISIT_BY, "valueDate": "2026-03-01"}
FLAG = {"url": RED_FLAG, "valueString": "New weakness of a leg"}


def condition(verification: str | None, *extensions: Resource, **more: Any) -> Resource:
    found: Resource = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}}
    if verification:
        found["verificationStatus"] = {"coding": [{"code": verification}]}
    return found | ({"extension": list(extensions)} if extensions else {}) | more


@pytest.mark.parametrize("verification", ["provisional", "differential", "unconfirmed"])
def test_an_uncertain_diagnosis_has_its_date_and_its_red_flags(verification: str) -> None:
    found = diagnosis(condition(verification, BY, FLAG, FLAG), "c", 3)
    assert found == Diagnosis("c", 3, "Patient/p", verification, date(2026, 3, 1), 2)
    assert diagnosis(condition(verification), "c", 1) == Diagnosis("c", 1, "Patient/p", verification, None, 0)


@pytest.mark.parametrize(
    "other",
    [
        None,
        condition("confirmed", BY),
        condition("refuted", BY),
        condition("entered-in-error", BY),
        condition(None, BY),
        condition("provisional", BY, clinicalStatus={"coding": [{"code": "resolved"}]}),
        condition("provisional", BY, subject={"reference": "Group/g"}),
    ],
)
def test_what_is_certain_over_or_of_nobody_here_is_none(other: Resource | None) -> None:
    assert diagnosis(other, "c", 1) is None


@pytest.mark.parametrize(
    "extensions",
    [
        [{"url": REVISIT_BY, "valueDate": "2026-03"}],
        [{"url": REVISIT_BY, "valueDateTime": "2026-03-01T00:00:00Z"}],
        [{"url": REVISIT_BY}],
        [BY, BY],
        [{"url": RED_FLAG}],
        [{"url": RED_FLAG, "valueBoolean": True}],
    ],
)
def test_what_cannot_be_kept_to_is_refused_with_its_path(extensions: list[Resource]) -> None:
    with pytest.raises(Unprocessable) as refused:
        check_condition(condition("provisional", *extensions))
    assert refused.value.issues[0].expression[0].startswith("Condition.extension")
    check_condition(condition("provisional", BY, FLAG, {"url": RED_FLAG, "valueCodeableConcept": {"text": "Fever"}}))
    check_condition(condition("provisional", {"url": "https://elsewhere.example"}))


def test_a_plan_is_looked_at_by_the_date_and_says_what_is_lacking() -> None:
    def standing(uncertain: Uncertain) -> Any:
        return stand(plan(), None, (), (), now=NOW, uncertain=uncertain)

    sure = standing(Uncertain())
    by = (NOW - timedelta(days=30)).date()
    unsure = standing(Uncertain(by, overdue=True, undated=True, unflagged=True))
    assert unsure.next_review_at == min(sure.next_review_at, datetime(by.year, by.month, by.day, tzinfo=UTC))
    assert set(unsure.gaps) - set(sure.gaps) == {"no-revisit-date", "no-red-flags"}
    assert (sure.flags, unsure.flags) == ((), ("revisit-overdue",))
    later = standing(Uncertain(date(2090, 1, 1)))
    assert later.next_review_at == sure.next_review_at > CREATED
