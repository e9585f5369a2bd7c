"""Composite parameters (http://hl7.org/fhir/R4/search.html#composite)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
SYSTOLIC, DIASTOLIC = f"{LOINC}|8480-6", f"{LOINC}|8462-4"


def _code(code: str, system: str | None = LOINC) -> Resource:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def _pressure(value: float) -> Resource:
    return {"valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}


def _observation(id_: str, **more: object) -> Resource:
    return {"resourceType": "Observation", "id": id_, "status": "final"} | more


OBSERVATIONS = [
    _observation(
        "high-low",
        code=_code("85354-9"),
        component=[{"code": _code("8480-6")} | _pressure(150), {"code": _code("8462-4")} | _pressure(70)],
    ),
    _observation(
        "low-high",
        code=_code("85354-9"),
        component=[{"code": _code("8480-6")} | _pressure(110), {"code": _code("8462-4")} | _pressure(95)],
    ),
    _observation("alone", code=_code("8480-6"), **_pressure(150)),
    _observation("local", code=_code("8480-6", None), valueQuantity={"value": 150, "unit": "mmHg"}),
    _observation(
        "two", code={"coding": [*_code("8480-6")["coding"], *_code("bp", "urn:x")["coding"]]}, **_pressure(88)
    ),
    _observation("group", code=_code("883-9"), valueCodeableConcept=_code("A", "urn:abo")),
    _observation(
        "phenotype",
        code=_code("1"),
        component=[{"code": _code("883-9"), "valueCodeableConcept": _code("B", "urn:abo")}],
    ),
    _observation("onset", code=_code("11368-8"), valueDateTime="2024-03-05"),
    _observation("said", code=_code("72166-2"), valueString="Never smoker"),
    _observation("no-value", code=_code("8480-6")),
]
GROUPS: list[Resource] = [
    {
        "resourceType": "Group",
        "id": "smokers",
        "type": "person",
        "actual": False,
        "characteristic": [
            {"code": _code("smoker"), "valueBoolean": True, "exclude": False},
            {"code": _code("pregnant"), "valueBoolean": False, "exclude": False},
            {"code": _code("gender"), "valueCodeableConcept": _code("female", "urn:g"), "exclude": False},
        ],
    }
]
QUESTIONNAIRE: Resource = {
    "resourceType": "Questionnaire",
    "id": "adults",
    "status": "active",
    "useContext": [
        {"code": {"system": "urn:u", "code": "age"}, "valueRange": {"low": {"value": 18, "unit": "a"}}},
        {"code": {"system": "urn:u", "code": "focus"}, "valueCodeableConcept": _code("pain", "urn:f")},
    ],
}


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        # of the same component
        (f"component-code-value-quantity={SYSTOLIC}$gt140", "high-low"),
        (f"component-code-value-quantity={DIASTOLIC}$gt90", "low-high"),
        (f"component-code-value-quantity={DIASTOLIC}$gt140", ""),
        ("component-code-value-quantity=8480-6$150", "high-low"),
        (f"component-code-value-quantity={SYSTOLIC}$150|{UCUM}|mm[Hg]", "high-low"),
        (f"component-code-value-quantity={SYSTOLIC}$150|{UCUM}|kPa", ""),
        (f"component-code-value-quantity={SYSTOLIC}$lt120,{DIASTOLIC}$lt80", "high-low low-high"),
        (f"component-code-value-quantity={SYSTOLIC}$lt120&component-code-value-quantity={DIASTOLIC}$gt90", "low-high"),
        # of the resource itself
        ("code-value-quantity=8480-6$150", "alone local"),
        ("code-value-quantity=|8480-6$150", "local"),
        (f"code-value-quantity={SYSTOLIC}$150", "alone"),
        (f"code-value-quantity={SYSTOLIC}$150||mmHg", "alone"),
        ("code-value-quantity=8480-6$150||mmHg", "alone local"),
        ("code-value-quantity=urn:x|bp$le88", "two"),
        ("code-value-quantity=urn:x|8480-6$le88", ""),
        ("code-value-quantity=BP$ge88", "two"),
        # of one or the other
        (f"combo-code-value-quantity={SYSTOLIC}$gt140", "alone high-low"),
        ("combo-code-value-quantity=8480-6$ap150", "alone high-low local"),
        ("code-value-concept=883-9$A", "group"),
        (f"code-value-concept={LOINC}|883-9$urn:abo|a", "group"),
        ("code-value-concept=883-9$urn:other|A", ""),
        ("code-value-concept=883-9$B", ""),
        ("component-code-value-concept=883-9$B", "phenotype"),
        ("combo-code-value-concept=883-9$urn:abo|A,883-9$urn:abo|B", "group phenotype"),
        ("code-value-date=11368-8$2024-03", "onset"),
        ("code-value-date=11368-8$ge2024-03-06", ""),
        (f"code-value-date={LOINC}|11368-8$sa2023", "onset"),
        ("code-value-string=72166-2$never", "said"),
        ("code-value-string=urn:x|72166-2$never", ""),
    ],
)
async def test_all_components_are_true_of_the_same_element(
    fhir: httpx.AsyncClient, criteria: str, expected: str
) -> None:
    """http://hl7.org/fhir/R4/search.html#composite, http://hl7.org/fhir/R4/observation.html#search."""
    await put(fhir, OBSERVATIONS)
    assert sorted(await found(fhir, f"Observation?{criteria}")) == expected.split()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Group?characteristic-value=smoker$true", ["smokers"]),
        ("Group?characteristic-value=smoker$false", []),
        ("Group?characteristic-value=pregnant$true", []),
        ("Group?characteristic-value=gender$urn:g|female", ["smokers"]),
        ("Questionnaire?context-type-quantity=age$ge20", ["adults"]),
        ("Questionnaire?context-type-quantity=urn:u|age$lt18", []),
        ("Questionnaire?context-type-value=focus$pain", ["adults"]),
        ("Questionnaire?context-type-value=age$pain", []),
    ],
)
async def test_characteristics_and_contexts(fhir: httpx.AsyncClient, query: str, expected: list[str]) -> None:
    """http://hl7.org/fhir/R4/group.html#search, http://hl7.org/fhir/R4/questionnaire.html#search."""
    await put(fhir, [*GROUPS, QUESTIONNAIRE])
    assert await found(fhir, query) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Observation?code-value-quantity=8480-6", "value"),
        ("Observation?code-value-quantity=8480-6$", "value"),
        ("Observation?code-value-quantity=8480-6$1$2", "value"),
        ("Observation?code-value-quantity=$150", "value"),
        (f"Observation?code-value-quantity={LOINC}|$150", "value"),
        ("Observation?code-value-quantity=8480-6$heavy", "value"),
        ("Observation?code-value-quantity=a|b|c$150", "value"),
        ("Observation?code-value-date=11368-8$yesterday", "value"),
        ("Observation?code-value-quantity:missing=true", "not-supported"),
        ("Observation?code-value-quantity:not=8480-6$150", "not-supported"),
        ("Observation?code-value-quantity=" + ",".join(f"{n}$1" for n in range(501)), "too-costly"),
        ("DocumentReference?relationship=appends$x", "not-supported"),
        ("MolecularSequence?chromosome-window-coordinate=1$2$3", "not-supported"),
    ],
)
async def test_what_is_malformed_or_not_supported_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors; ``:missing`` is for all parameters except combinations."""
    assert await refused(fhir, query) == code


async def test_a_changed_value_is_found_and_the_old_one_is_not(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#composite."""
    await put(fhir, [_observation("x", code=_code("8480-6"), **_pressure(150))])
    await put(fhir, [_observation("x", code=_code("8480-6"), **_pressure(120))])
    assert await found(fhir, "Observation?code-value-quantity=8480-6$150") == []
    assert await found(fhir, "Observation?code-value-quantity=8480-6$120") == ["x"]
