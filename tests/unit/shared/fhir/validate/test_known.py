"""Concepts that were accepted once are taken as accepted; everything else is checked as before."""

import copy

import pytest

from shared.errors import Unprocessable
from shared.fhir.validate import check
from shared.fhir.validate.known import REMEMBERED, _known, with_known_concepts
from tests.factories.resources import care_plan, observation


def test_a_resource_is_not_changed_and_concepts_are_replaced() -> None:
    resource = observation("Patient/p")
    before = copy.deepcopy(resource)
    replaced = with_known_concepts(resource)
    assert resource == before
    assert replaced["code"] is with_known_concepts(copy.deepcopy(resource))["code"]
    assert replaced["subject"] is resource["subject"]


def test_a_resource_without_concepts_stays_the_same_object() -> None:
    resource = {"resourceType": "Patient", "name": [{"given": ["Robin"]}], "active": True}
    assert with_known_concepts(resource) is resource


def test_a_concept_that_does_not_fit_is_still_found_with_its_place() -> None:
    check(care_plan("Patient/p"))
    bad = care_plan("Patient/p", category=[{"coding": [{"system": "http://loinc.org", "code": 7}]}])
    with pytest.raises(Unprocessable) as refused:
        check(bad)
    assert refused.value.issues[0].expression[0].startswith("CarePlan.category[0].coding[0].code")


def test_memory_is_bounded() -> None:
    for number in range(REMEMBERED + 50):
        with_known_concepts({"code": {"coding": [{"code": f"c{number}"}]}})
    assert len(_known) == REMEMBERED
