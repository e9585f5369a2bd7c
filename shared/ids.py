"""Ids are handed in. The default is UUIDv7: time-ordered, so B-trees stay dense (RFC 9562)."""

from collections.abc import Callable

import uuid_utils

IdSource = Callable[[], str]


def uuid7() -> str:
    """A new UUIDv7 in its 36-character form, a legal FHIR ``id``."""
    return str(uuid_utils.uuid7())
