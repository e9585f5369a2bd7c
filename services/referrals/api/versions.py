"""Versions as REST has them: ETag, and If-Match (https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1)."""

import re
from typing import Annotated

from fastapi import Header

from services.referrals.app.commands import Precondition
from shared.errors import Invalid, PreconditionFailed, PreconditionRequired
from shared.security.caller import Role
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')

IfMatch = Annotated[str | None, Header(description="The version that you have seen, as its ETag has it.")]


def etag(version: int) -> str:
    """``version`` as an ETag."""
    return f'W/"{version}"'


def version_in(text: str | None) -> int | None:
    """The version that If-Match names. Raises ``Invalid``."""
    if text is None:
        return None
    match = _ETAG.fullmatch(text.strip())
    if match is None:
        raise Invalid('An ETag looks like W/"3".', code="value")
    return int(match.group(1))


def seen(version: int | None, *, demanded: bool = True) -> Precondition:
    """The caller has seen ``version``; people say which, where it is ``demanded``."""

    def precondition(work: UnitOfWork, stored: Stored) -> None:
        if version is None and demanded and work.caller.role is not Role.SYSTEM:
            raise PreconditionRequired("Send If-Match with the version that you have seen.")
        if version not in (None, stored.version):
            raise PreconditionFailed("The referral has changed since the version named in If-Match.")

    return precondition
