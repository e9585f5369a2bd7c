"""Delivery preferences over REST. A secret is shown once, when it is made; an address to those who may change it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from services.notifications.channels.webhook import is_secret, new_secret
from services.notifications.domain.preferences import Channel, Preference, check_address
from services.notifications.domain.receivers import is_receiver
from services.notifications.settings import NotificationSettings
from services.notifications.store import preferences
from services.notifications.store.preferences import Kept
from shared.engine import Engine
from shared.errors import Forbidden, NotFound, Unprocessable
from shared.security.caller import Caller, Role
from shared.security.dependency import CurrentCaller

NAME = r"^[^\x00]{1,300}$"
"""PostgreSQL has no text with a NUL character."""

router = APIRouter()


class Wish(BaseModel):
    """What a receiver wants on one channel. No secret: the one that is there stays, or a new one is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    receiver: str = Field(max_length=300)
    channel: Channel
    address: str | None = Field(default=None, max_length=2000)
    secret: SecretStr | None = Field(default=None, max_length=200)
    enabled: bool = True


class Shown(BaseModel):
    """A preference as kept."""

    receiver: str
    channel: Channel
    address: str | None
    enabled: bool
    reason: str | None = None
    """Why the service switched it off."""
    secret: str | None = None
    """Only in the answer that made it."""


@router.get("/preferences")
async def list_preferences(
    request: Request, caller: CurrentCaller, receiver: Annotated[str | None, Query(pattern=NAME)] = None
) -> list[Shown]:
    """The preferences of ``receiver``, or the caller's own."""
    if receiver is not None:
        _may_set(caller, receiver)
        _must_exist(receiver, "query.receiver")
    wanted = [receiver] if receiver is not None else sorted(own(caller))
    kept = await preferences.of(_engine(request).pool, wanted)
    return [_shown(one) for name in wanted for one in kept.get(name, [])]


@router.put("/preferences")
async def put_preference(request: Request, caller: CurrentCaller, wish: Wish) -> Shown:
    """Set one. Raises ``Forbidden`` for somebody else's, ``Unprocessable`` for what cannot work."""
    _may_set(caller, wish.receiver)
    _must_exist(wish.receiver, "receiver")
    settings = NotificationSettings()
    check_address(wish.channel, wish.address, insecure=settings.webhook_allow_http)
    if wish.channel is Channel.EMAIL and wish.enabled and settings.smtp_url is None:
        raise Unprocessable("E-mail is not set up here.", expression=("channel",))
    engine = _engine(request)
    secret, made = await _secret(engine, wish)
    preference = Preference(wish.receiver, wish.channel, wish.enabled)
    kept = await preferences.put(engine.pool, preference, wish.address, secret, engine.clock())
    return _shown(kept, secret=secret if made else None)


@router.delete("/preferences", status_code=204)
async def delete_preference(
    request: Request, caller: CurrentCaller, receiver: Annotated[str, Query(pattern=NAME)], channel: Channel
) -> None:
    """Forget one; the channel is as if nothing had been said. Raises ``NotFound``."""
    _may_set(caller, receiver)
    _must_exist(receiver, "query.receiver")
    if not await preferences.remove(_engine(request).pool, receiver, channel):
        raise NotFound("No such preference.")


def own(caller: Caller) -> frozenset[str]:
    """Whose preferences the caller may set: their own; an organization's only by its systems, not by all its staff."""
    if caller.role is Role.SYSTEM:
        return caller.references
    return frozenset({caller.fhir_user} if caller.fhir_user else ())


def _may_set(caller: Caller, receiver: str) -> None:
    if caller.role is not Role.COORDINATOR and receiver not in own(caller):
        raise Forbidden("These are somebody else's preferences.")


def _must_exist(receiver: str, where: str) -> None:
    if not is_receiver(receiver):
        raise Unprocessable("Nobody can be told under this name.", expression=(where,))


async def _secret(engine: Engine, wish: Wish) -> tuple[str | None, bool]:
    """The secret to keep (None: the one that is there), and whether it was made here."""
    if wish.channel is not Channel.WEBHOOK:
        return None, False
    if wish.secret is not None:
        given = wish.secret.get_secret_value()
        if not is_secret(given):
            raise Unprocessable("A secret is whsec_ and 24 to 64 bytes in base64.", expression=("secret",))
        return given, False
    there = (await preferences.of(engine.pool, [wish.receiver])).get(wish.receiver, [])
    if any(one.preference.channel is wish.channel and one.address == wish.address for one in there):
        return None, False
    return new_secret(), True


def _shown(kept: Kept, *, secret: str | None = None) -> Shown:
    wish = kept.preference
    return Shown(
        receiver=wish.receiver,
        channel=wish.channel,
        address=kept.address,
        enabled=wish.enabled,
        reason=kept.reason,
        secret=secret,
    )


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
