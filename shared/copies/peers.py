"""The other services, as one of our own workers asks them."""

from typing import Protocol

from shared.fhir.json import Resource


class Peers(Protocol):
    """Who answers for what this service does not own."""

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        """The body of a GET at the service ``owner`` (``Patient/1``); None where nothing is there, or no more.

        Raises ``Unavailable`` where the owner does not say either."""
        ...

    async def submit(self, owner: str, bundle: Resource) -> int:
        """The HTTP status that the service ``owner`` answers a transaction Bundle with.

        Raises ``Unavailable`` where it cannot be reached, or is not able to take it now: it may have taken it."""
        ...
