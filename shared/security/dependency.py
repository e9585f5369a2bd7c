"""FastAPI dependencies: who calls, and whether their role may."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.errors import Forbidden
from shared.security.caller import Caller, Role
from shared.security.tokens import Verifier

_BEARER = HTTPBearer(scheme_name="bearer", bearerFormat="JWT", description="A SMART or local token.", auto_error=False)
"""Says in the OpenAPI document that a route takes a token; it is the verifier that looks at it."""


async def current_caller(
    request: Request, documented: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None
) -> Caller:
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
