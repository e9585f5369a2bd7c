"""FastAPI dependencies: who calls, and whether their role may."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from shared.errors import Forbidden
from shared.security.caller import Caller, Role
from shared.security.tokens import Verifier


async def current_caller(request: Request) -> Caller:
    """The caller of this request, by the app's ``state.verifier``. Raises ``Unauthenticated``."""
    verifier: Verifier = request.app.state.verifier
    return await verifier.verify(request.headers.get("authorization"))


CurrentCaller = Annotated[Caller, Depends(current_caller)]
"""A route's parameter type: ``async def triage(caller: CurrentCaller)``."""


def require_role(*roles: Role) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency: the caller, if of one of ``roles``. Raises ``Forbidden`` otherwise."""

    async def caller_in_role(caller: CurrentCaller) -> Caller:
        if caller.role not in roles:
            raise Forbidden("The caller's role may not do this.")
        return caller

    return caller_in_role
