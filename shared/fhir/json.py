"""FHIR JSON without loss: decimals keep their digits (http://hl7.org/fhir/R4/json.html#decimal)."""

from decimal import Decimal
from typing import Any

import msgspec

from shared.errors import Invalid, TooLarge

Resource = dict[str, Any]

MOST_VALUES = 2_000_000
"""JSON values in what a client sends. FHIR has one in 25 bytes: a Bundle of 32 MiB stays below. One of empty objects
takes many times its bytes of memory, and the event loop for seconds."""
FEW_VALUES = 100_000
"""So many are taken however small they are; beyond, they must have ``SMALLEST`` bytes each."""
SMALLEST = 8

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_ordered = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def loads(body: bytes) -> Any:
    """The JSON value in ``body``; decimals as ``Decimal``. Raises ``Invalid`` with no piece of the body in its text."""
    try:
        return _decoder.decode(body)
    except RecursionError as error:
        raise Invalid("The JSON is nested too deeply.", code="structure") from error
    except UnicodeDecodeError as error:
        raise Invalid("The body is not UTF-8.", code="structure") from error
    except msgspec.DecodeError as error:
        raise Invalid("The body is not well-formed JSON.", code="structure") from error


def received(body: bytes) -> Any:
    """The JSON value in ``body`` that a client sent. Raises ``TooLarge`` for too many values, ``Invalid`` as above.

    Each value but the first stands behind a comma or a bracket: they are counted in milliseconds, without memory."""
    most = min(MOST_VALUES, max(FEW_VALUES, len(body) // SMALLEST))
    if len(body) > most and sum(map(body.count, (b",", b"{", b"["))) > most:
        raise TooLarge("The body has more values than this server takes.", code="too-costly")
    return loads(body)


def dumps(value: Any) -> bytes:
    """Compact JSON of ``value``."""
    return _encoder.encode(value)


def canonical(value: Any) -> bytes:
    """The same bytes for the same JSON value, whatever the order of its members; ``1.0`` and ``1.00`` are two."""
    return _ordered.encode(value)
