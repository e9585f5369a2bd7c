"""The opaque token in a history's next link: where the page ended, and what its first page saw."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.errors import Invalid
from shared.fhir.search.instants import micros, moment
from shared.fhir.search.snapshot import Snapshot, is_snapshot
from shared.store.indexing import EARLIEST, LATEST

_MOST_VERSIONS = 2**31
_decoder = msgspec.json.Decoder(tuple[int, int, str, int] | None | int)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a type or of the whole ended: ``lastUpdated`` and row number of its last version."""

    at: datetime
    seq: int
    snapshot: Snapshot


Cursor = Place | int
"""For one resource the version that its page ended with."""


def encode(cursor: Cursor) -> str:
    """The token of ``cursor``."""
    written: object = cursor
    if isinstance(cursor, Place):
        written = (micros(cursor.at), cursor.seq, cursor.snapshot.text, micros(cursor.snapshot.horizon))
    return urlsafe_b64encode(msgspec.json.encode(written)).decode().rstrip("=")


def decode(token: str, *, one: bool) -> Cursor:
    """The cursor in ``token``. Raises ``Invalid`` for anything that ``encode`` did not make for such a history."""
    try:
        found = _decoder.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if one and isinstance(found, int) and 0 <= found < _MOST_VERSIONS:
            return found
        if not one and isinstance(found, tuple):
            at, seq, text, horizon = found
            if is_snapshot(text) and 0 <= seq < 2**63 and all(EARLIEST < time < LATEST for time in (at, horizon)):
                return Place(moment(at), seq, Snapshot(text, moment(horizon)))
    except (ValueError, binascii.Error, msgspec.DecodeError):
        pass
    raise Invalid("The page token is not one of this history.", code="value")
