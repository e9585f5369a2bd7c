"""What an ``Idempotency-Key`` says (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)."""

import hashlib
import re

from fastapi import Request

from shared.errors import Invalid

LONGEST_KEY = 128
WHERE = ("header.idempotency-key",)
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(rf"(?P<quote>\"?)(?P<key>[!#-\[\]-~]{{1,{LONGEST_KEY}}})(?P=quote)")
"""A string of https://www.rfc-editor.org/rfc/rfc8941#section-3.3.3, or, as many clients send it, without its quotes."""


async def digests(request: Request, header: str) -> tuple[bytes, bytes]:
    """SHA-256 of the key and of the request: neither a key nor a body is to be read out of a table.

    Raises ``Invalid`` for a header that holds no key, or several."""
    match = _KEY.fullmatch(header.strip(" \t"))
    if match is None or len(request.headers.getlist("idempotency-key")) > 1:
        text = f"One key is expected, of 1 to {LONGEST_KEY} visible ASCII characters."
        raise Invalid(text, code="value", expression=WHERE)
    said = b"\0".join((request.method.encode(), request.scope["path"].encode(), await request.body()))
    return hashlib.sha256(match["key"].encode()).digest(), hashlib.sha256(said).digest()
