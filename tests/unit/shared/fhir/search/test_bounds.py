"""A resource has a bounded number of index entries, and it is refused before all of them are made."""

from typing import Any

import pytest

from shared.errors import Unprocessable
from shared.fhir.search.entries import MOST_ENTRIES
from shared.fhir.search.extract import extract

MANY = MOST_ENTRIES + 1
RANGE = range(MANY)


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "identifier": [{"value": f"v{n}"} for n in RANGE]},
        {"resourceType": "Patient", "name": [{"given": [f"a{n}" for n in RANGE]}]},
        {"resourceType": "Observation", "code": {"coding": [{"code": f"c{n}"} for n in RANGE]}},
        {"resourceType": "CarePlan", "activity": [{"reference": {"reference": f"Task/{n}"}} for n in RANGE]},
        {"resourceType": "Basic", "extension": [{"valueReference": {"reference": f"Task/{n}"}} for n in RANGE]},
        {"resourceType": "Library", "relatedArtifact": [{"type": "depends-on", "resource": f"u:{n}"} for n in RANGE]},
        {"resourceType": "Observation", "component": [{"valueQuantity": {"value": n}} for n in RANGE]},
        {
            "resourceType": "CarePlan",
            "activity": [{"detail": {"scheduledTiming": {"event": ["2024"]}}} for n in RANGE],
        },
    ],
    ids=["identifiers", "strings", "codings", "references", "unsearched references", "uris", "quantities", "dates"],
)
def test_too_many_values_are_too_costly(resource: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as refused:
        extract(resource | {"id": "1"})
    assert [issue.code for issue in refused.value.issues] == ["too-costly"]


def test_a_provenance_of_thousands_of_targets_is_indexed() -> None:
    targets = [{"reference": f"Observation/{n}"} for n in range(4_000)]
    assert len(extract({"resourceType": "Provenance", "id": "1", "target": targets}).terms) >= 4_000


def test_a_long_url_has_a_bounded_number_of_ancestors() -> None:
    url = "http://example.org/" + "a/" * 1_000_000
    assert len(extract({"resourceType": "ValueSet", "id": "1", "url": url}).terms) < 100
