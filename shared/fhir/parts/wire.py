"""What the gateway and the owners of a transaction's parts say to each other, as JSON below ``PATH``."""

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from shared.errors import Invalid
from shared.fhir.json import received

PATH = "/internal/transactions"
PEER = b"x-consilium-peer"
"""The header of every step: the token of the gateway that asks (``shared.security.peers``). ``Authorization`` has the
token of the caller on whose behalf it asks."""
GATEWAY = "gateway"
"""Who alone may ask."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sketch:
    """``plan``: what are these writes about? Nothing is stored. Answered with a ``Plan``."""

    bundle: dict[str, Any]
    prepares: bool
    """This part will be prepared: the database must be able to."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Identity:
    """What an entry is about."""

    reference: str
    """``Type/id``."""
    new: bool
    """The id was made for it, as its conditions found nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The identities by entry, and what their fullUrls turn into."""

    identities: list[Identity]
    targets: dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """``prepare`` and ``commit``: store these writes as planned. Answered with a ``transaction-response``."""

    transaction: str
    holder: str
    """The service that commits, and whose commit is the decision."""
    parts: list[str]
    """The services that prepare."""
    bundle: dict[str, Any]
    identities: list[Identity]
    elsewhere: dict[str, str]
    """What the fullUrls of the other parts turn into."""
    seconds: float
    """The longest wait for a lock, and the longest statement."""


@dataclass(frozen=True, slots=True)
class Superseded:
    """Answered, with status 409, where the conditions of an entry find something else than they did when planned."""

    superseded: bool = True


@dataclass(frozen=True, slots=True)
class Stranger:
    """Answered, with status 401 or 403, to whoever is no gateway of ours. No OperationOutcome: no client hears it."""

    stranger: bool = True


@dataclass(frozen=True, slots=True)
class Ending:
    """``finish``: commit or roll back what is prepared, if anything is. Answered with ``Done``."""

    transaction: str
    holder: str
    commit: bool


@dataclass(frozen=True, slots=True)
class Question:
    """``outcome``, answered with an ``Outcome``, and ``forget``, answered with ``Done``."""

    transaction: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision; from now on at least it is one."""

    committed: bool


@dataclass(frozen=True, slots=True)
class Lookout:
    """``waiting``: what has been waiting for longer? Answered with ``Waiting``."""

    longer_than: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part that waits to be finished."""

    transaction: str
    holder: str


@dataclass(frozen=True, slots=True)
class Committed:
    """A decision whose parts are not known to be finished."""

    transaction: str
    parts: list[str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one service."""

    prepared: list[Prepared]
    committed: list[Committed]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing to say."""


def read(body: bytes, type_: type[T]) -> T:
    """The value in ``body``. Raises ``Invalid``, also for what is of another shape, and ``TooLarge``."""
    try:
        return msgspec.convert(received(body), type_)
    except msgspec.ValidationError as error:
        raise Invalid("The body does not have the shape that this step takes.", code="structure") from error
