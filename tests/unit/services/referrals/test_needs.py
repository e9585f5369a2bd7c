"""What a referral needs: from the order, the Task, the patient, and what is stated beside them."""

from typing import Any

import pytest

from services.referrals.domain.distance import Place
from services.referrals.domain.needs import Stated, needs_of, reasons_of, specialties_of
from services.referrals.domain.offering import Modality
from services.referrals.domain.specialty import Specialty
from tests.factories.referrals import concept, order, reference, task
from tests.unit.services.referrals.candidates import TODAY

PATIENT = {
    "resourceType": "Patient",
    "birthDate": "1980-03-02",
    "communication": [{"language": concept("urn:ietf:bcp:47", "es-MX")}],
}


def test_the_patient_tells_age_and_languages_unless_others_are_stated() -> None:
    found = needs_of(task(), order(), PATIENT, Stated(), TODAY)
    assert (found.age, found.languages, found.specialties) == (46, ("es",), {Specialty.PSYCHOLOGY})
    stated = Stated(
        frozenset({Specialty.COMPLEMENTARY}),
        ("fr",),
        frozenset({Modality.GROUP}),
        Place(1, 2),
        12.5,
        age=0,
        payer="Organization/x",
    )
    found = needs_of(task(), order(), PATIENT, stated, TODAY)
    assert (found.age, found.languages, found.specialties) == (0, ("fr",), {Specialty.COMPLEMENTARY})
    assert (found.place, found.max_distance_km, found.payer) == (Place(1, 2), 12.5, "Organization/x")


def test_nothing_known_is_nothing_needed() -> None:
    found = needs_of({}, {}, {}, Stated(), TODAY)
    assert (found.age, found.languages, found.specialties, found.urgent) == (None, (), frozenset(), False)


@pytest.mark.parametrize(
    ("of_task", "of_order", "stated", "urgent"),
    [
        ("routine", "stat", None, False),
        (None, "asap", None, True),
        ("urgent", None, "routine", False),
        (None, None, None, False),
    ],
)
def test_the_nearest_priority_counts(of_task: Any, of_order: Any, stated: Any, urgent: bool) -> None:
    found = needs_of(task(priority=of_task), order(priority=of_order), {}, Stated(priority=stated), TODAY)
    assert found.urgent is urgent


def test_the_order_names_places_and_performers() -> None:
    asked = order(
        locationReference=[reference("Location/l")], performer=[reference("Practitioner/p"), {"display": "?"}]
    )
    found = needs_of(task(), asked, {}, Stated(), TODAY)
    assert (found.locations, found.performers) == ({"Location/l"}, {"Practitioner/p"})


def test_a_tag_of_the_discipline_is_asked_at_last() -> None:
    tag = {"system": "https://consilium.care/fhir/CodeSystem/discipline", "code": "mental-health"}
    tagged = task(meta={"tag": [{"system": "urn:x", "code": "y"}, tag]})
    assert specialties_of(tagged, order(code={"text": "?"})) == {Specialty.PSYCHOLOGY, Specialty.PSYCHIATRY}
    assert specialties_of(tagged, order()) == {Specialty.PSYCHOLOGY}


def test_reasons_are_codes_and_references_but_no_text() -> None:
    coded = order(
        reasonCode=[concept("urn:icd", "F45.41"), {"text": "pain"}], reasonReference=[reference("Condition/c")]
    )
    found = reasons_of(task(reasonCode=concept("urn:icd", "M54")), coded)
    assert found == {("urn:icd", "F45.41"), ("", "Condition/c"), ("urn:icd", "M54")}
