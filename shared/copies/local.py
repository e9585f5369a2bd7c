"""Services in the same process are asked without HTTP, by the same interactions."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.engine import Engine
from shared.errors import ConsiliumError, Gone, NotFound, Unavailable
from shared.fhir.http import Request
from shared.fhir.json import Resource
from shared.fhir.routes import dispatch
from shared.security.caller import internal
from shared.status import STATUS


@dataclass(frozen=True, slots=True)
class LocalPeers:
    """``Peers`` of ``service``."""

    service: str
    engines: Mapping[str, Engine]
    """By service; those that are not there yet may come."""

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        """See ``Peers.get``."""
        request = Request("GET", tuple(path.split("/")), internal(self.service), base="", query=query)
        try:
            response = await dispatch(self.engines[owner], request)
        except (Gone, NotFound):
            return None
        return response.body

    async def submit(self, owner: str, bundle: Resource) -> int:
        """See ``Peers.submit``."""
        request = Request("POST", (), internal(self.service), base="", resource=bundle)
        try:
            return (await dispatch(self.engines[owner], request)).status
        except Unavailable:
            raise
        except ConsiliumError as error:
            return STATUS[error.category]
