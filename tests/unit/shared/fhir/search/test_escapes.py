"""Escapes in search values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fhir.search.escapes import split_unescaped, unescape


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("a,b", ",", ["a", "b"]),
        (r"a\,b", ",", ["a,b"]),
        (r"a\\,b", ",", ["a\\", "b"]),
        (r"a\\\,b,c", ",", ["a\\,b", "c"]),
        (r"s\|x|c", "|", ["s|x", "c"]),
        ("", ",", [""]),
        (",", ",", ["", ""]),
    ],
)
def test_a_backslash_protects_a_separator(text: str, separator: str, parts: list[str]) -> None:
    assert [unescape(part) for part in split_unescaped(text, separator)] == parts


@given(st.lists(st.text(alphabet="ab,|$\\"), min_size=1))
def test_what_is_escaped_comes_back(values: list[str]) -> None:
    def escape(text: str) -> str:
        return "".join("\\" + character if character in "\\,|$" else character for character in text)

    joined = ",".join(escape(value) for value in values)
    assert [unescape(part) for part in split_unescaped(joined, ",")] == values
