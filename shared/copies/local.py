"""Services in the same process are asked without HTTP, by the same interactions."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.engine import Engine
from shared.errors import Gone, NotFound
from shared.fhir.http import Request
from shared.fhir.routes import dispatch
from shared.security.caller import internal


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
