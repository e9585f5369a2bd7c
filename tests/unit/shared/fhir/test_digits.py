"""The digits of FHIR and HTTP are those of ASCII; Python takes any script's. All places where text becomes a number."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.referrals.api import versions
from shared.errors import Invalid
from shared.fhir.bulk import answering, kick_off
from shared.fhir.etags import tags
from shared.fhir.formats import _quality
from shared.fhir.history import asked
from shared.fhir.interactions.read import _moment
from shared.fhir.patch import json_patched
from shared.fhir.patch.expression import parsed
from shared.fhir.search import snapshot
from shared.fhir.search.instants import span
from shared.fhir.search.params import date, quantity
from shared.fhir.search.parse import _count
from shared.fhir.validate.primitives import FORMATS
from shared.fhir.xml.members import Form
from shared.fhir.xml.reading import _value

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SCRIPTS = [str.maketrans("0123456789", digits) for digits in ("٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９")]
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
"""``str.isdigit`` takes them, ``int`` does not."""

RAISES: list[tuple[str, Callable[[str], Any]]] = [
    ("5", lambda text: quantity.test_of("quantity", text)),
    ("ge5.4", lambda text: quantity.test_of("number", text)),
    ("5e1", lambda text: quantity.test_of("number", text)),
    ("2020", lambda text: date.test_of(text, NOW)),
    ("ge2020-01-01T10:00:00Z", lambda text: date.test_of(text, NOW)),
    ("2020-01-01", span),
    ("20", _count),
    ("20", asked._count),
    ("2020", lambda text: asked._span(text, "_since")),
    ("2026-01-31T10:00:00Z", kick_off._instant),
    ('W/"3"', tags),
    ('W/"3"', versions.version_in),
    ("name[0]", parsed),
    ("name.where(rank = 1)", parsed),
    ("Tue, 24 Nov 2026 10:00:00 GMT", _moment),
    ("2026-11-24T10:00:00Z", _moment),
]
TELLS: list[tuple[str, Callable[[str], Any]]] = [
    ("1:3:2", snapshot.is_snapshot),
    ("output-1.ndjson", answering._FILE.fullmatch),
    ("0.5", lambda text: _quality(text) == 0.5),
    ("5", lambda text: type(_value(text, Form.NUMBER)) is not str),
    *[
        (text, FORMATS[type_][0])
        for type_, text in (
            ("date", "2020-01-01"),
            ("dateTime", "2020-01-01T10:00:00.5Z"),
            ("instant", "2020-01-01T10:00:00Z"),
            ("time", "10:00:00"),
            ("id", "1"),
            ("oid", "urn:oid:1.2"),
            ("uuid", "urn:uuid:00000000-0000-0000-0000-000000000000"),
        )
    ],
]


@pytest.mark.parametrize(("text", "read"), RAISES)
def test_other_digits_are_refused(text: str, read: Callable[[str], Any]) -> None:
    read(text)
    for script in (*SCRIPTS, SUPERSCRIPTS):
        with pytest.raises((Invalid, ValueError)):
            read(text.translate(script))
    with pytest.raises((Invalid, ValueError)):
        read(text + "٠")


@pytest.mark.parametrize(("text", "fits"), TELLS)
def test_other_digits_do_not_fit(text: str, fits: Callable[[str], Any]) -> None:
    assert fits(text)
    for script in (*SCRIPTS, SUPERSCRIPTS):
        assert not fits(text.translate(script))


def test_other_digits_are_no_index_of_a_json_patch() -> None:
    assert json_patched({"x": [1]}, [{"op": "test", "path": "/x/0", "value": 1}]) == {"x": [1]}
    for script in SCRIPTS:
        with pytest.raises(Exception, match=r"not in the resource|test of operation 0 fails"):
            json_patched({"x": [1]}, [{"op": "test", "path": "/x/0".translate(script), "value": 1}])


@pytest.mark.parametrize("text", ["2020", "ge2020", "2020-01-01"])
def test_a_line_feed_ends_no_date(text: str) -> None:
    with pytest.raises(Invalid):
        date.test_of(text + "\n", NOW)


@pytest.mark.parametrize(
    "text",
    [
        "Tue, 24 Nov 99999999999999999999 10:00:00 GMT",
        "Tue, 24 Nov 2026 99999999999999999999:00:00 GMT",
        "Tue, 24 Nov 2026 10:00:00 +99999999999999",
    ],
)
def test_a_moment_that_no_calendar_has_is_refused(text: str) -> None:
    """It was an OverflowError, and 500."""
    with pytest.raises(Invalid):
        _moment(text)
