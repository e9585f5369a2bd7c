"""Conditions, medicines and age as variables."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.careplans.domain.applying.classes import ICD10, RXNORM, SNOMED
from services.careplans.domain.applying.conditions import CLASS_SYSTEM, diagnosed, unread
from services.careplans.domain.applying.inputs import Input
from services.careplans.domain.applying.medicines import referred, taken
from services.careplans.domain.applying.moments import age
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.applying.patients import AS_OF, condition, medicine, record


def conditions(*given: Resource) -> dict[str, Input]:
    return {entry.name: entry for entry in diagnosed(given)}


def medicines(*given: Resource) -> dict[str, Input]:
    return {entry.name: entry for entry in taken(record(*given))}


def named(text: str, **more: Any) -> Resource:
    return {"resourceType": "Condition", "id": "n", "code": {"text": text}} | more


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        (condition("N18"), "kidneyDisease"),
        (condition("N18.31"), "kidneyDisease"),
        (condition("F45.42"), "painWithPsychologicalFactors"),
        (condition("82423001", SNOMED), "chronicPain"),
        (condition("kidney-disease", CLASS_SYSTEM), "kidneyDisease"),
        (named("Chronic Lower Back Pain"), "chronicPain"),
        (named("Sciatica, left side"), "neuropathicPain"),
        (named("Migraine without aura"), "chronicPain"),
        (named("Fibromyalgia, not elsewhere classified"), "chronicPain"),
        (named("Acute on chronic low back pain"), "chronicPain"),
        (named("Pain in left knee"), "chronicPain"),
        (named("Psychogenic pain"), "chronicPain"),
        (named("Psychogenic pain"), "painWithPsychologicalFactors"),
        (named("Persistent somatoform pain disorder"), "painWithPsychologicalFactors"),
        (condition("F45.4", ICD10), "painWithPsychologicalFactors"),
        (condition("R52.2", ICD10), "chronicPain"),
        (named("Major depressive disorder without psychotic features"), "depression"),
        (named("History of falls"), "falls"),
        (named("High risk pregnancy"), "pregnancy"),
        (named("Non-small cell lung cancer"), "cancer"),
        (named("Acute kidney injury"), "kidneyDisease"),
        (named("Upper GI bleed"), "gastricBleeding"),
        (named("Addiction to heroin"), "substanceUse"),
        (named("Chronic hepatitis C without hepatic coma"), "liverDisease"),
        (named("Post traumatic stress disorder"), "trauma"),
        (condition("N18.3", clinicalStatus={"text": "Active"}), "kidneyDisease"),
        (condition("N18.3", clinicalStatus="active"), "kidneyDisease"),
        (
            condition("278860009", "http://hl7.org/fhir/sid/icd-10-cm") | named("Chronic kidney disease stage 3"),
            "kidneyDisease",
        ),
    ],
)
def test_a_condition_is_recognised(given: Resource, variable: str) -> None:
    found = conditions(given)[variable]
    assert found.value is True
    assert found.references == (f"Condition/{given['id']}",)


@pytest.mark.parametrize(
    "given",
    [
        condition("N2"),
        condition("N18.3", verification="refuted"),
        condition("N18.3", verification="entered-in-error"),
        condition("N18.3", clinicalStatus={"coding": [{"system": "c", "code": "resolved"}]}),
        condition("N18.3", clinicalStatus={"coding": [{"code": "inactive"}]}),
        condition("N18.3", clinicalStatus={"text": "Resolved"}),
        condition("N18.3", clinicalStatus="resolved"),
        condition("N18.3", verificationStatus="refuted"),
        condition("N18.3", abatementDateTime="2019"),
        condition("N1"),
        condition("N20.0"),
        named("Family history of kidney disease"),
        named("No kidney disease"),
    ],
)
def test_a_condition_is_not_recognised(given: Resource) -> None:
    assert conditions(given, condition("J44.9"))["kidneyDisease"].value is False


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("Acute low back pain", "chronicPain"),
        ("Opioid-induced respiratory depression", "depression"),
        ("Depression screening", "depression"),
        ("Depression in family member", "depression"),
        ("Major depression without psychotic features", "psychosisOrMania"),
        ("Kleptomania", "psychosisOrMania"),
        ("Bipolar hip prosthesis in place", "psychosisOrMania"),
        ("Pulmonary hypertension", "hypertension"),
        ("Malignant hypertension", "cancer"),
        ("Screening for lung cancer", "cancer"),
        ("Suspected lung cancer (situation)", "cancer"),
        ("History of breast cancer", "cancer"),
        ("Cancer phobia", "cancer"),
        ("Ischemic optic neuropathy", "neuropathicPain"),
        ("Ischemic optic neuropathy", "lossOfSensation"),
        ("Hepatitis B vaccination", "liverDisease"),
        ("At risk of falls, history unclear", "falls"),
        ("Pregnancy test negative", "pregnancy"),
        ("Tobacco dependence", "substanceUse"),
        ("Ludwig's angina", "ischaemicHeart"),
    ],
)
def test_a_name_that_means_something_else_is_not_recognised(name: str, variable: str) -> None:
    assert conditions(named(name))[variable].value is False


@pytest.mark.parametrize(
    ("code", "variable"),
    [("D68.51", "bleedingDisorder"), ("D57.3", "sickleCell"), ("R20.3", "lossOfSensation"), ("R52", "chronicPain")],
)
def test_a_code_that_begins_alike_is_something_else(code: str, variable: str) -> None:
    assert conditions(condition(code))[variable].value is False


@pytest.mark.parametrize("code", ["M54.50", "M25.561"])
def test_a_code_of_pain_with_an_acute_name_is_no_chronic_pain(code: str) -> None:
    given = condition(code) | {"code": {**condition(code)["code"], "text": "Acute pain after a fall"}}
    assert conditions(given)["chronicPain"].value is False


@pytest.mark.parametrize(
    ("given", "days", "chronic"),
    [
        (condition("M54.5"), 91, False),
        (condition("M54.5"), 92, True),
        (named("Pain in left knee"), 30, False),
        (named("Chronic knee pain"), 30, True),
        (condition("F45.42"), 30, True),
        (condition("82423001", SNOMED), 30, True),
        (condition("M54.5") | {"code": {**condition("M54.5")["code"], "text": "Chronic low back pain"}}, 30, True),
        (named("Fibromyalgia"), 30, True),
    ],
)
def test_pain_is_chronic_by_its_name_or_after_three_months(given: Resource, days: int, chronic: bool) -> None:
    began = (AS_OF - timedelta(days=days)).isoformat()
    found = {entry.name: entry for entry in diagnosed([given | {"onsetDateTime": began}], AS_OF)}
    assert found["chronicPain"].value is chronic


@pytest.mark.parametrize("given", [condition("N18", SNOMED), {"resourceType": "Condition", "id": "c"}])
def test_a_condition_that_says_nothing_of_itself_may_be_any(given: Resource) -> None:
    found = conditions(given, condition("J44.9"))
    assert found["copd"].value is True
    assert found["kidneyDisease"].missing
    assert found["kidneyDisease"].references == (f"Condition/{given['id']}",)
    assert "needs the name of 1 recorded condition" in found["kidneyDisease"].note


def test_a_name_counts_only_where_no_code_is_known() -> None:
    coded = condition("J45.909") | {"code": {"coding": condition("J45.909")["code"]["coding"], "text": "COPD"}}
    assert conditions(coded)["copd"].value is False
    assert "by its name" in conditions(named("COPD"))["copd"].note


def test_without_any_condition_nothing_is_known() -> None:
    for given in ((), (condition("N18", verification="refuted"),)):
        assert all(entry.missing for entry in conditions(*given).values())


def test_conditions_that_no_class_knows_are_named() -> None:
    assert unread([condition("N18"), condition("L40.0"), named("COPD"), named("Something") | {"id": "s"}]) == (
        "Condition/c-l40.0",
        "Condition/s",
    )


@pytest.mark.parametrize(
    ("status", "value"),
    [("confirmed", False), ("provisional", True), ("differential", True), ("unconfirmed", True), (None, None)],
)
def test_a_diagnosis_is_uncertain_confirmed_or_not_said(status: str | None, value: bool | None) -> None:
    assert conditions(condition("M54.5", verification=status))["uncertainDiagnosis"].value is value


_ACTIVE = {"resourceType": "MedicationStatement", "id": "s", "status": "active"}


@pytest.mark.parametrize(
    "given",
    [
        medicine("Oxycodone"),
        medicine("x", medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "7804"}]}),
        _ACTIVE | {"medicationCodeableConcept": {"text": "OXYCODONE/acetaminophen"}},
        _ACTIVE | {"medicationCodeableConcept": {"text": "Percocet 5-325"}},
        _ACTIVE | {"medicationCodeableConcept": {"text": "Meperidine 50 mg tablet"}},
        medicine("x", medicationCodeableConcept=None, medicationReference={"display": "Oxycodone 5 MG"}),
        medicine(
            "x",
            medicationCodeableConcept=None,
            medicationReference={"reference": "#m"},
            contained=[
                {
                    "resourceType": "Medication",
                    "id": "m",
                    "ingredient": [{"itemCodeableConcept": {"text": "Oxycodone"}}],
                }
            ],
        ),
    ],
)
def test_a_medicine_is_recognised(given: Resource) -> None:
    assert medicines(given)["takesOpioid"].value is True


@pytest.mark.parametrize(
    "reference", ["Medication/m", "urn:uuid:m", "https://ehr.example/fhir/Medication/m", "Medication/m/_history/2"]
)
def test_a_medicine_is_found_by_its_reference(reference: str) -> None:
    referring = medicine("x", medicationCodeableConcept=None, medicationReference={"reference": reference})
    target = {"resourceType": "Medication", "id": "m", "code": {"text": "Oxycodone"}}
    assert referred(record(referring)) == ("m",)
    assert medicines(referring, target)["takesOpioid"].value is True
    assert medicines(referring, target | {"id": "other"})["takesOpioid"].value is None


@pytest.mark.parametrize(
    "nameless",
    [
        medicine("x", medicationCodeableConcept=None),
        medicine("x", medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "1049593"}]}),
        medicine("x", medicationCodeableConcept={"text": " "}),
    ],
)
def test_a_medicine_that_nobody_can_name_may_be_of_any_class(nameless: Resource) -> None:
    found = medicines(nameless, medicine("Ibuprofen"))
    assert (found["takesNsaid"].value, found["takesOpioid"].value, found["medicines"].value) == (True, None, 2)
    assert found["takesOpioid"].note.startswith("needs the name of 1 active medicine")
    assert found["takesOpioid"].references == ("MedicationRequest/m-x",)


def test_orders_of_the_same_product_are_one_medicine() -> None:
    orders = [medicine("Oxycodone") | {"id": f"{number}"} for number in range(5)]
    found = medicines(*orders, _ACTIVE | {"medicationCodeableConcept": {"text": "oxycodone 10 mg  oral tablet"}})
    assert found["medicines"].value == 1
    assert len(found["medicines"].references) == 6
    assert found["takesNsaid"].note == "not among 1 active medicine"


def test_chlordiazepoxide_is_a_benzodiazepine() -> None:
    assert medicines(medicine("Chlordiazepoxide"))["takesBenzodiazepine"].value is True


@pytest.mark.parametrize(
    "given",
    [
        medicine("Oxycodone", status="stopped"),
        medicine("Oxycodone", status="on-hold"),
        medicine("Oxycodone", intent="proposal"),
        medicine("Oxycodone", intent="plan"),
        medicine("Oxycodone", intent=["order"]),
        medicine("Oxycodone", doNotPerform=True),
        medicine("Oxycodoneless"),
    ],
)
def test_a_medicine_is_not_taken(given: Resource) -> None:
    found = medicines(given, medicine("Ibuprofen"))
    assert (found["takesOpioid"].value, found["takesNsaid"].value) == (False, True)


def test_without_any_active_medicine_nothing_is_known() -> None:
    found = medicines(medicine("Oxycodone", status="completed"))
    assert all(entry.missing for entry in found.values())


@pytest.mark.parametrize(
    ("born", "years"),
    [
        ("1961-03-01", 65),
        ("1961-03-02", 64),
        ("1961-03", 64),
        ("1961", 64),
        ("2026-03-01", 0),
        ("2027-01-01", None),
        ("1961-13-01", None),
        ("long ago", None),
        (None, None),
        (1961, None),
    ],
)
def test_age_is_never_more_than_it_can_be(born: Any, years: int | None) -> None:
    assert age(born, date(2026, 3, 1)) == years


def test_a_cause_of_the_pain_that_is_not_certain_is_an_uncertain_diagnosis() -> None:
    found = conditions(condition("M54.16", verification="provisional"), condition("F45.42"))["uncertainDiagnosis"]
    assert (found.value, found.references) == (True, ("Condition/c-m54.16",))
