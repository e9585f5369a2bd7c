"""NDJSON on its way in (http://ndjson.org): whole lines out of parts that end anywhere, within bounds."""

from collections.abc import AsyncIterator

from shared.errors import TooLarge


async def lines(parts: AsyncIterator[bytes], *, longest: int, most_bytes: int) -> AsyncIterator[bytes]:
    """The lines in ``parts``, without their ends. Raises ``TooLarge``, and what reading raises."""
    held: list[bytes] = []
    length = size = 0
    async for part in parts:
        size += len(part)
        if size > most_bytes:
            raise TooLarge("The NDJSON is larger than this server takes.")
        *ends, rest = part.split(b"\n")
        for end in ends:
            _require_short(length + len(end), longest)
            yield b"".join((*held, end)).removesuffix(b"\r")
            held, length = [], 0
        if rest:
            held.append(rest)
            length += len(rest)
            _require_short(length, longest)
    if held:
        yield b"".join(held).removesuffix(b"\r")


def _require_short(length: int, longest: int) -> None:
    if length > longest:
        raise TooLarge("A line is larger than this server takes.")
