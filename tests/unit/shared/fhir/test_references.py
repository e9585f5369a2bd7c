"""References to this server by its full address, inside resources."""

from shared.fhir.references import make_relative

BASE = "http://host:8080/fhir"


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
