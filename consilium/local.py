"""The server of this machine: where it is, and tokens that it believes."""

from datetime import timedelta
from pathlib import Path

from shared.errors import Unavailable
from shared.process.mistakes import Mistake
from shared.security.caller import Caller, Role
from shared.security.keys import SigningKey, local_key
from shared.security.settings import AuthMode, SecuritySettings
from shared.security.tokens import mint
from shared.settings import ServerSettings


def local_base(settings: ServerSettings) -> str:
    """The base URL that ``run`` serves with the same environment."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def local_token(caller: Caller | None = None, *, hours: float = 4.0) -> str | None:
    """A token for ``caller`` (a system without one) signed with the local key; None in open mode.

    Raises ``Mistake`` where there can be no key."""
    settings = SecuritySettings()
    if settings.auth is AuthMode.OPEN:
        return None
    return mint(
        caller or Caller("consilium-import", Role.SYSTEM),
        timedelta(hours=hours),
        signing_key(settings.data_dir),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )


def signing_key(data_dir: Path) -> SigningKey:
    """The local key of ``data_dir``, made when there is none. Raises ``Mistake`` where that cannot be."""
    try:
        return local_key(data_dir)
    except OSError as error:
        raise Mistake("CONSILIUM_DATA_DIR: the folder cannot be written.") from error
    except Unavailable as error:
        raise Mistake(str(error)) from error
