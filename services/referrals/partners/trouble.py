"""What goes wrong between two systems, as a code; and answers that are read no further than we have room for."""

import httpx

from services.referrals.domain.exchange_pace import Trouble

MOST = 1 << 20
"""Bytes of an answer."""


class PartnerTrouble(Exception):
    """The other side did not do what it was asked, or could not be asked."""

    def __init__(self, code: Trouble) -> None:
        super().__init__(code.value)
        self.code = code


async def body_of(response: httpx.Response) -> bytes:
    """The body as it was sent, up to ``MOST`` bytes. Raises ``PartnerTrouble`` beyond."""
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > MOST:
            raise PartnerTrouble(Trouble.TOO_LARGE)
        parts.append(part)
    return b"".join(parts)
