"""Formats of the primitive datatypes (http://hl7.org/fhir/R4/datatypes.html#primitive)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fhir.definitions import PRIMITIVE_TYPES
from shared.fhir.validate.primitives import FORMATS, RANGES, primitive
from shared.fhir.validate.walk import ABOVE, Walk

CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "base64Binary": (["QQ==", "QUI=\r\n", "QUJD"], ["", " ", "Q", "QQ=", "Q!==", "Ä"]),
    "boolean": ([True, False], ["true", 1, 0, None]),
    "canonical": (["http://example.org/a|1.0", "#a"], ["", "a b", "a\x00"]),
    "code": (["active", "two words"], ["", " active", "active ", "two  words", "a\x00"]),
    "date": (
        ["2024", "2024-02", "2024-02-29"],
        ["0000", "24", "2024-13", "2023-02-29", "2024-2-1", "2024-02-29T", "٢٠٢٤"],
    ),
    "dateTime": (
        ["2024", "2024-02-29", "2024-02-29T23:59:60Z", "2024-02-29T10:00:00.123456789+14:00"],
        [
            "2024-02-29T10:00Z",
            "2024-02-29T10:00:00",
            "2024-02T10:00:00Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29 10:00:00Z",
        ],
    ),
    "decimal": ([0, -1, Decimal("1.10"), Decimal("1E5")], ["1", True, 1.5, None]),
    "id": (["a", "A-1.b", "x" * 64], ["", "a_b", "a/b", "x" * 65, "a\n"]),
    "instant": (["2024-02-29T10:00:00Z"], ["2024-02-29", "2024-02-30T10:00:00Z", "2024-02-29T10:00:00"]),
    "integer": ([0, -1, 2**31 - 1, -(2**31)], [2**31, True, "1", Decimal("1.0")]),
    "markdown": (["# title\n\ttext", "ü"], ["", "\x07"]),
    "oid": (["urn:oid:1.2.840"], ["1.2.840", "urn:oid:3.1", "urn:oid:1.02"]),
    "positiveInt": ([1, 2**31 - 1], [0, -1, True]),
    "string": (
        ["text", " ", "a\r\n\tb", "日本", "\u00a0", "x" * 1024 * 1024],
        ["", "\x00", "\ud800", "x" * (1024 * 1024 + 1), 1],
    ),
    "time": (["00:00:00", "23:59:60.5"], ["24:00:00", "10:00", "10:00:00Z"]),
    "unsignedInt": ([0, 1], [-1, True, Decimal(1)]),
    "uri": (["urn:example:a", "Patient/1", "é"], ["", "a b", "a\n", "\x00"]),
    "url": (["http://example.org/?a=b"], ["", "http://example.org/a b"]),
    "uuid": (
        ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
        ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    ),
}


def findings(type_: str, value: Any) -> int:
    walk = Walk()
    primitive(type_)(value, ABOVE, "value", -1, walk)
    return len(walk.issues)


def test_every_primitive_has_cases() -> None:
    assert set(CASES) | {"xhtml"} == PRIMITIVE_TYPES
    assert set(FORMATS) | set(RANGES) | {"boolean", "decimal", "xhtml"} == PRIMITIVE_TYPES


@pytest.mark.parametrize("type_", sorted(CASES))
def test_what_the_format_allows_is_accepted_and_nothing_else(type_: str) -> None:
    fine, broken = CASES[type_]
    assert [value for value in fine if findings(type_, value)] == []
    assert [value for value in broken if not findings(type_, value)] == []


@given(st.sampled_from(sorted(CASES)), st.text() | st.integers() | st.booleans() | st.none() | st.lists(st.text()))
def test_no_value_is_more_than_one_finding(type_: str, value: Any) -> None:
    assert findings(type_, value) <= 1
