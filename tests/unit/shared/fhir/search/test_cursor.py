"""The token in a next link."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid
from shared.fhir.search.cursor import decode, encode
from shared.fhir.search.query import Cursor, Sort
from shared.fhir.search.snapshot import Snapshot, is_snapshot

BY_DATE = (Sort("date", True, 77), Sort("string", False, 78))
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@given(st.integers(-(2**60), 2**60), st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_a_cursor_survives_its_token(low: int, text: str) -> None:
    cursor = Cursor((low, text), 12)
    assert decode(BY_DATE, encode(BY_DATE, cursor)) == cursor


def test_a_cursor_by_last_updated_keeps_what_the_first_page_saw() -> None:
    order = (Sort("updated", True),)
    cursor = Cursor((MOMENT,), 5, Snapshot("10:20:11,15", MOMENT))
    assert decode(order, encode(order, cursor)) == cursor


def test_a_token_of_another_order_is_invalid() -> None:
    with pytest.raises(Invalid):
        decode((), encode(BY_DATE, Cursor((1, "a"), 12)))


@given(st.text())
def test_any_text_is_a_cursor_or_invalid(token: str) -> None:
    try:
        decoded = decode((), token)
    except Invalid:
        return
    assert isinstance(decoded, Cursor)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("10:20:", True),
        ("10:20:10,19", True),
        ("10:10:", True),
        ("20:10:", False),
        ("10:20:20", False),
        ("10:20:15,12", False),
        ("10:20:9", False),
        ("0:20:", False),
        ("a:b:c", False),
        ("10:20", False),
    ],
)
def test_only_what_postgresql_takes_is_a_snapshot(text: str, good: bool) -> None:
    assert is_snapshot(text) is good
