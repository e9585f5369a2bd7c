"""FHIR JSON without loss: decimals keep their digits (http://hl7.org/fhir/R4/json.html#decimal)."""

from decimal import Decimal
from typing import Any

import msgspec

from shared.errors import Invalid

Resource = dict[str, Any]

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


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


def dumps(value: Any) -> bytes:
    """Compact JSON of ``value``."""
    return _encoder.encode(value)
