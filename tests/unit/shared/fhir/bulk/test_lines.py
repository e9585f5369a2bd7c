"""Lines out of parts that end anywhere."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TooLarge
from shared.fhir.bulk.lines import lines


def read(parts: list[bytes], *, longest: int = 100, most: int = 1_000) -> list[bytes]:
    """All lines in ``parts``."""

    async def coming() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def all_of_them() -> list[bytes]:
        return [line async for line in lines(coming(), longest=longest, most_bytes=most)]

    return asyncio.run(all_of_them())


@given(st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"")), max_size=9), st.data())
def test_where_parts_end_makes_no_difference(texts: list[bytes], data: st.DataObject) -> None:
    body = b"".join(text + b"\n" for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    parts = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(parts) == [text.removesuffix(b"\r") for text in texts]


@pytest.mark.parametrize(
    ("parts", "found"),
    [([], []), ([b""], []), ([b"\n\n"], [b"", b""]), ([b"a\r", b"\nb"], [b"a", b"b"]), ([b"a", b"b"], [b"ab"])],
)
def test_ends_of_lines(parts: list[bytes], found: list[bytes]) -> None:
    assert read(parts) == found


@pytest.mark.parametrize("parts", [[b"aaaa"], [b"aa", b"aa"], [b"aaaa\n"], [b"aa", b"aa\n"], [b"\naaaa"]])
def test_a_line_that_is_too_long(parts: list[bytes]) -> None:
    with pytest.raises(TooLarge):
        read(parts, longest=3)


def test_the_longest_line_and_the_largest_body() -> None:
    assert read([b"aaa\n", b"aaa\n"], longest=3, most=8) == [b"aaa", b"aaa"]
    with pytest.raises(TooLarge):
        read([b"aaa\n", b"aaa\n"], longest=3, most=7)
