"""Services behind HTTP, asked for FHIR with a token of our own."""

import httpx

from shared.errors import Unavailable
from shared.fhir.http import FHIR_JSON
from shared.security.peers import PeerTokens
from shared.telemetry.propagation import current_traceparent

_NOTHING = frozenset({404, 410})


class HttpPeers:
    """``Peers`` at the base URLs ``urls``; one that is not named there is at ``http://<its name>:8080``."""

    def __init__(
        self,
        tokens: PeerTokens,
        urls: dict[str, str],
        *,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._tokens, self._urls = tokens, urls
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=16, keepalive_expiry=1.0)
        self._client = httpx.AsyncClient(
            transport=transport or httpx.AsyncHTTPTransport(limits=limits, retries=2, trust_env=False),
            timeout=timeout,
            trust_env=False,
        )

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        """See ``Peers.get``."""
        base = self._urls.get(owner, f"http://{owner}:8080").rstrip("/")
        headers = {"accept": FHIR_JSON, "authorization": self._tokens.header(), "cache-control": "no-cache"}
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        try:
            response = await self._client.get(f"{base}/fhir/{path}" + (f"?{query}" if query else ""), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # its text may name the URL
            raise Unavailable("The owner of a record cannot be reached.") from error
        if response.status_code in _NOTHING:
            return None
        if response.status_code != 200:
            raise Unavailable("The owner of a record did not tell it.")
        return response.content

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
