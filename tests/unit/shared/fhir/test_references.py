"""References to this server by its full address."""

import pytest

from shared.fhir.references import below, make_relative, may_name

BASE = "http://host:8080/fhir"


@pytest.mark.parametrize(
    ("reference", "relative"),
    [
        (f"{BASE}/Patient/p1", "Patient/p1"),
        (f"{BASE}/Patient/p1/_history/3", "Patient/p1/_history/3"),
        ("Patient/p1", None),
        ("http://host:8080/fhir2/Patient/p1", None),
        ("http://host:8080/fhirPatient/p1", None),
        ("http://elsewhere/fhir/Patient/p1", None),
        ("https://host:8080/fhir/Patient/p1", None),
        (f"{BASE}/a/Patient/p1", None),
        (f"{BASE}/Patient", None),
        (f"{BASE}/Patient?identifier=1", None),
        (f"{BASE}/Patient/p1/_history", None),
        (f"{BASE}/Patient/p1#part", None),
        (f"{BASE}/Patient/p1\n", None),
        (f"{BASE}", None),
        ("#p1", None),
        ("urn:uuid:0f3c3a5e-0000-4000-8000-000000000001", None),
    ],
)
def test_only_a_resource_below_the_base_has_a_relative_form(reference: str, relative: str | None) -> None:
    assert below(BASE, reference) == relative


@pytest.mark.parametrize(
    ("body", "may"),
    [
        (b'{"reference":"http://host:8080/fhir/Patient/p1"}', True),
        (rb'{"reference":"http:\/\/host:8080\/fhir\/Patient\/p1"}', True),
        (rb'{"reference":"\u0068ttp://host:8080/fhir/Patient/p1"}', True),
        (b'{"reference":"Patient/p1"}', False),
        (rb'{"text":"a line\nand \"another\""}', False),
    ],
)
def test_a_body_that_cannot_name_the_base_is_known_by_its_bytes(body: bytes, may: bool) -> None:
    assert may_name(body, BASE) is may


def test_only_literal_references_become_relative_and_not_those_in_the_entries_of_a_bundle() -> None:
    own = f"{BASE}/Patient/p1"
    entry = {"fullUrl": own, "resource": {"resourceType": "Goal", "subject": {"reference": own}}}
    resource = {
        "resourceType": "Task",
        "focus": {"reference": own, "display": own},
        "instantiatesUri": own,
        "input": [{"valueReference": {"reference": own}}, {"valueUrl": own}],
        "contained": [{"resourceType": "Bundle", "signature": [{"who": {"reference": own}}], "entry": [entry]}],
    }
    make_relative(resource, BASE)
    assert resource == {
        "resourceType": "Task",
        "focus": {"reference": "Patient/p1", "display": own},
        "instantiatesUri": own,
        "input": [{"valueReference": {"reference": "Patient/p1"}}, {"valueUrl": own}],
        "contained": [
            {"resourceType": "Bundle", "signature": [{"who": {"reference": "Patient/p1"}}], "entry": [entry]}
        ],
    }
    assert entry["resource"] == {"resourceType": "Goal", "subject": {"reference": own}}
