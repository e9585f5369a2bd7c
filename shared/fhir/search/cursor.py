"""The opaque token in a next link: where the page ended. Bound to the sort order that made it."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from shared.errors import Invalid
from shared.fhir.search.instants import micros
from shared.fhir.search.query import Cursor, Sort, SortValue
from shared.fhir.search.snapshot import Snapshot, is_snapshot
from shared.store.indexing import EARLIEST, LATEST

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,600})?(E[+-][0-9]{1,3})?")
_decoder = msgspec.json.Decoder(tuple[list[str], list[int | str], int, tuple[str, int] | None])


def _signature(sort: tuple[Sort, ...]) -> list[str]:
    return [
        f"{'-' if key.descending else ''}{key.kind}{key.param or ''}{'.'.join(key.path)}{key.start}" for key in sort
    ]


def encode(sort: tuple[Sort, ...], cursor: Cursor) -> str:
    """The token of ``cursor``."""
    values = [_written(value) for value in cursor.values]
    seen = None if cursor.snapshot is None else (cursor.snapshot.text, micros(cursor.snapshot.horizon))
    return urlsafe_b64encode(msgspec.json.encode((_signature(sort), values, cursor.rid, seen))).decode().rstrip("=")


def _written(value: SortValue) -> int | str:
    if isinstance(value, datetime):
        return micros(value)
    return str(value) if isinstance(value, Decimal) else value


def decode(sort: tuple[Sort, ...], token: str) -> Cursor:
    """The cursor in ``token``. Raises ``Invalid`` for anything that ``encode`` did not make for this ``sort``."""
    try:
        signature, written, rid, seen = _decoder.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if signature != _signature(sort) or len(written) != len(sort) or not 0 <= rid < 2**63:
            raise ValueError("another sort order")
        if (seen is not None) != ([key.kind for key in sort] == ["updated"]):
            raise ValueError("another sort order")
        values = tuple(_value(key, value) for key, value in zip(sort, written, strict=True))
        return Cursor(values, rid, None if seen is None else _seen(*seen))
    except (ValueError, binascii.Error, OverflowError, msgspec.DecodeError):
        raise Invalid("The page token is not one of this search.", code="value") from None


def _seen(text: str, horizon: int) -> Snapshot:
    if not is_snapshot(text):
        raise ValueError("not a snapshot")
    return Snapshot(text, _EPOCH + timedelta(microseconds=horizon))


def _value(key: Sort, value: int | str) -> SortValue:
    if key.kind == "quantity":
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            raise ValueError("not a number")
        return Decimal(value)
    if key.kind in ("id", "string", "reference"):
        if not isinstance(value, str) or "\x00" in value:
            raise ValueError("not a string")
        return value
    if not isinstance(value, int) or not EARLIEST - 1 <= value <= LATEST + 1:
        raise ValueError("not a number")
    return _EPOCH + timedelta(microseconds=value) if key.kind == "updated" else value
