"""Morphine equivalents by the factors of CDC 2022, and what is said where a dose cannot be known."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.careplans.domain.safety.medications import read
from services.careplans.domain.safety.merging import merge
from services.careplans.domain.safety.mme import equivalents
from services.careplans.domain.safety.totals import Total

CDC = "CDC 2022 table of conversion factors"
TODAY = date(2026, 3, 2)


def request(medicine: str, value: Any, unit: str | None, repeat: Any = None, **more: Any) -> dict[str, Any]:
    instruction = {
        "timing": {"repeat": repeat or {"frequency": 1, "period": 1, "periodUnit": "d"}},
        "doseAndRate": [{"doseQuantity": {"value": value, "unit": unit}}],
    }
    return {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": medicine},
        "dosageInstruction": [instruction | more],
    }


def mme(*resources: dict[str, Any]) -> Total:
    numbered = [each | {"id": f"m{place}"} for place, each in enumerate(resources)]
    return equivalents(merge({"MedicationRequest": numbered}, TODAY))


EVERY = {"frequency": 1, "period": 3, "periodUnit": "d"}
Q6H = {"frequency": 1, "period": 6, "periodUnit": "h"}
KNOWN = [
    ("72 HR Fentanyl 0.075 MG/HR Transdermal System", 1, "patch", EVERY, "180", "cqf-ruler#23: 180, not 504"),
    ("fentanyl 75 mcg/h patch", 1, "patch", EVERY, "180", CDC),
    ("fentanyl 75 mcg/h patch", 75, "mcg/h", EVERY, "180", CDC),
    ("hydrocodone bitartrate 5 MG / acetaminophen 325 MG tablet", 1, "tablet", Q6H, "20", "CDC 2022, its example"),
    ("12 HR Oxycodone 10 MG Extended Release Oral Tablet", 1, "{tablet}", {**Q6H, "period": 12}, "30", "CDC 2022"),
    ("hydrocodone-acetaminophen 5-325 mg tablet", 1, "tablet", Q6H, "20", CDC),
    ("Morphine Sulfate 2 MG/ML Oral Solution", 5, "mL", Q6H, "40", CDC),
    ("morphine 15 mg tablet", 15, "mg", None, "15", CDC),
    ("morphine tablet", 15000, "mcg", None, "15", CDC),
    ("morphine tablet", Decimal("0.015"), "g", None, "15", CDC),
    ("codeine 30 mg tablet", 1, "tablet", None, "4.5", CDC),
    ("hydromorphone 2 mg tablet", 1, "tablet", None, "10", CDC),
    ("methadone 10 mg tablet", 1, "tablet", None, "47", CDC),
    ("oxymorphone 5 mg tablet", 1, "tablet", None, "15", CDC),
    ("tapentadol 50 mg tablet", 1, "tablet", None, "20", CDC),
    ("tramadol 50 mg tablet", 1, None, Q6H, "40", CDC),
    ("buprenorphine 8 mg tablet", 1, "tablet", None, "0", "CDC 2022: buprenorphine has no factor"),
    ("ibuprofen 600 mg tablet", 1, "tablet", None, "0", "no opioid"),
]


@pytest.mark.parametrize(("text", "value", "unit", "repeat", "expected", "source"), KNOWN)
def test_a_known_dose_has_its_equivalent(
    text: str, value: Any, unit: str | None, repeat: Any, expected: str, source: str
) -> None:
    found = mme(request(text, value, unit, repeat))
    assert (found.low, found.high, found.gaps, found.at_most) == (Decimal(expected), found.low, (), False), source


UNKNOWN = [
    (request("Percocet 5/325", 1, "tablet"), "MedicationRequest.medication[x]"),
    (request("oxycodone 5 mg tablet", None, "tablet"), "MedicationRequest.dosageInstruction.doseAndRate.dose[x].value"),
    (request("oxycodone 5 mg", 1, None), "MedicationRequest.dosageInstruction.doseAndRate.dose[x].unit"),
    (request("fentanyl 100 mcg buccal tablet", 1, "tablet"), "MedicationRequest.medication[x]"),
    (request("morphine 10 mg/mL injection", 1, "mL"), "MedicationRequest.medication[x]"),
    (
        request("oxycodone 5 mg tablet", 1, "tablet", {"frequency": 2}),
        "MedicationRequest.dosageInstruction.timing.repeat.period",
    ),
    (
        request("fentanyl 75 mcg/h patch", 1, "patch", {"frequency": 4, "period": 1, "periodUnit": "d"}),
        "MedicationRequest.dosageInstruction.timing.repeat",
    ),
]


@pytest.mark.parametrize(("resource", "element"), UNKNOWN)
def test_an_unknown_dose_is_a_gap_and_the_sum_says_at_least(resource: dict[str, Any], element: str) -> None:
    found = mme(resource, request("morphine 15 mg tablet", 1, "tablet"))
    assert (found.low, found.high) == (Decimal(15), None)
    assert [gap.element for gap in found.gaps] == [element]
    assert str(found) == "at least 15 MME/day"


def test_as_needed_is_an_upper_bound_and_its_maximum_counts() -> None:
    limit = {"numerator": {"value": 4, "unit": "tablet"}, "denominator": {"value": 1, "unit": "d"}}
    found = mme(request("morphine 15 mg tablet", 1, "tablet", {"frequency": 8, "period": 1, "periodUnit": "d"}))
    capped = mme(
        request("morphine 15 mg tablet", 1, "tablet", Q6H | {"period": 3}, asNeededBoolean=True, maxDosePerPeriod=limit)
    )
    assert (found.high, found.at_most) == (Decimal(120), False)
    assert (capped.high, capped.at_most) == (Decimal(60), True)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "stopped"},
        {"status": "completed"},
        {"intent": "plan"},
        {"doNotPerform": True},
        {"authoredOn": "2026-03-03"},
    ],
)
def test_what_is_not_active_is_not_counted(change: dict[str, Any]) -> None:
    assert str(mme(request("morphine 15 mg tablet", 1, "tablet") | change)) == "0 MME/day"


SAYS = [
    ("Take 1 tablet by mouth every 6 hours as needed", "60 MME/day, as needed counted in full"),
    ("1 tablet 4 times a day", "60 MME/day"),
    ("one tab q4-6h", "not known"),
    ("1-2 tablets every 6 hours", "not known"),
    ("Take 1 tablet twice a day as directed.", "not known"),
    ("take 30 mg every 6 hours", "not known"),
    ("take one 15 mg tablet every 6 hours", "60 MME/day"),
    ("as directed by your doctor", "60 MME/day"),
    ("4 tablets daily", "60 MME/day"),
    ("2 tablets twice daily", "60 MME/day"),
    ("2 tablets daily", "not known"),
    ("1 tablet 3 times weekly", "60 MME/day"),
    ("1 tablet weekly", "not known"),
    ("1 tablet in the morning and 2 at night, then 1 daily", "60 MME/day"),
]


@pytest.mark.parametrize(("text", "expected"), SAYS)
def test_a_text_that_says_another_dose_makes_it_unknown(text: str, expected: str) -> None:
    found = mme(request("morphine 15 mg tablet", 1, "tablet", Q6H, text=text))
    assert str(found) == expected
    assert [gap.element for gap in found.gaps] == (
        ["MedicationRequest.dosageInstruction.text"] if expected == "not known" else []
    )


def test_a_repeating_decimal_is_rounded_as_it_is_shown() -> None:
    found = mme(request("morphine 50 mg tablet", 1, "tablet", {"frequency": 3, "period": 72, "periodUnit": "h"}))
    assert found.low == found.high == Decimal(50)


def test_a_patch_put_on_so_often_that_two_may_be_worn_is_unknown() -> None:
    patch = "72 HR Fentanyl 0.075 MG/HR Transdermal System"
    every_other_day = mme(request(patch, 1, "patch", EVERY | {"period": 2}))
    daily = mme(request(patch, 1, "patch", EVERY | {"period": 1}))
    assert (str(every_other_day), str(daily)) == ("180 MME/day", "not known")


@pytest.mark.parametrize("odd", [None, 5, "x", [], [[]], {"coding": 3}, {"text": 4}, True])
def test_odd_types_are_no_crash(odd: Any) -> None:
    whole = request("morphine 15 mg tablet", 1, "tablet")
    for name in whole.keys() - {"resourceType", "id"}:
        read(whole | {name: odd}, {}, TODAY)
    for name in ("timing", "doseAndRate", "maxDosePerPeriod", "sequence", "text", "asNeededBoolean"):
        read(whole | {"dosageInstruction": [{**whole["dosageInstruction"][0], name: odd}]}, {}, TODAY)
