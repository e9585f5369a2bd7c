"""FHIR paths by their shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.fhir_template import _TEMPLATES, fhir_template


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/fhir", "/fhir"),
        ("/fhir/", "/fhir"),
        ("/fhir/metadata", "/fhir/metadata"),
        ("/fhir/Task", "/fhir/{type}"),
        ("/fhir/Task/_search", "/fhir/{type}/_search"),
        ("/fhir/Task/7", "/fhir/{type}/{id}"),
        ("/fhir/Task/7/_history", "/fhir/{type}/{id}/_history"),
        ("/fhir/Task/7/_history/2", "/fhir/{type}/{id}/_history/{vid}"),
        ("/fhir/Patient/7/$everything", "/fhir/{type}/{id}/${operation}"),
        ("/fhir/$import", "/fhir/${operation}"),
        ("/fhir/bulk-import/7", "/fhir/bulk-import/{job}"),
        ("/fhir/bulk-import/7/careplans-1.ndjson", "/fhir/bulk-import/{job}/{file}"),
        ("/fhir/Task/7/8/9/10", None),
        ("/fhirs/Task/7", None),
        ("/api/worklist", None),
    ],
)
def test_a_path_is_named_by_its_shape(path: str, template: str | None) -> None:
    assert fhir_template(path) == template


@given(st.lists(st.text(), max_size=6))
def test_nothing_that_a_client_chose_gets_into_a_template(segments: list[str]) -> None:
    assert fhir_template("/fhir/" + "/".join(segments)) in {None, *("/fhir" + known for known in _TEMPLATES.values())}
