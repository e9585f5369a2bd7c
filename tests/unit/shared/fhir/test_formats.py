"""Which format an answer has (http://hl7.org/fhir/R4/http.html#mime-type)."""

import pytest

from shared.errors import Invalid
from shared.fhir.formats import Format, format_asked

JSON, XML = Format(), Format(xml=True)


@pytest.mark.parametrize(
    ("accept", "query", "format"),
    [
        (None, "", JSON),
        ("*/*", "", JSON),
        ("application/*", "", JSON),
        ("application/fhir+xml", "", XML),
        ("APPLICATION/FHIR+XML;charset=UTF-8", "", XML),
        ("application/xml", "", XML),
        ("text/xml", "", XML),
        ("application/fhir+xml, application/fhir+json", "", JSON),
        ("application/fhir+json;q=0.5, application/fhir+xml", "", XML),
        ("application/fhir+json, application/fhir+xml;q=0.9", "", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", XML),
        ("application/fhir+json;q=0, */*", "", XML),
        ("application/fhir+xml;q=0, */*", "", JSON),
        ("application/fhir+xml;q=0", "", None),
        ("*/*;q=0", "", None),
        ("application/fhir+xml; fhirVersion=4.0", "", XML),
        ("application/fhir+xml; fhirVersion=5.0", "", None),
        ("application/fhir+xml; fhirVersion=5.0, application/fhir+json", "", JSON),
        ("text/plain", "", None),
        ("application/fhir+turtle", "", None),
        ("xml", "", XML),
        ("application/fhir+json", "_format=xml", XML),
        ("application/fhir+xml", "_format=json", JSON),
        ("text/plain", "_format=json", JSON),
        ("*/*", "_format=text/plain", None),
        ("*/*", "_format=ttl", None),
        ("application/fhir+xml", "_format=", XML),
        (None, "_format=application/fhir+xml", XML),
        (None, "_format=application/fhir%2Bxml", XML),
        (None, "_format=application%2Ffhir%2Bxml%3Bcharset%3Dutf-8", XML),
        (None, "_format=text/xml", XML),
        (None, "a=1&_pretty=true", Format(pretty=True)),
        (None, "_pretty=true&_format=xml", Format(xml=True, pretty=True)),
        ("application/xml", "_pretty=false", XML),
    ],
)
def test_accept_format_and_pretty(accept: str | None, query: str, format: Format | None) -> None:
    assert format_asked(accept, query) == format


def test_pretty_is_true_or_false() -> None:
    with pytest.raises(Invalid):
        format_asked(None, "_pretty=yes")
