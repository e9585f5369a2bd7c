"""Services behind HTTP, asked for FHIR with a token of our own."""

import httpx

from shared.errors import Unavailable
from shared.fhir.http import FHIR_JSON
from shared.fhir.json import Resource, dumps
from shared.security.peers import PeerTokens
from shared.telemetry.propagation import current_traceparent

_NOTHING = frozenset({404, 410})
_NOT_NOW = frozenset({401, 404, 408, 429})
"""It is not up, does not know our secret yet, or has too much to do."""


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
        response = await self._ask("GET", owner, f"/{path}" + (f"?{query}" if query else ""))
        if response.status_code in _NOTHING:
            return None
        if response.status_code != 200:
            raise Unavailable("The owner of a record did not tell it.")
        return response.content

    async def submit(self, owner: str, bundle: Resource) -> int:
        """See ``Peers.submit``."""
        status = (await self._ask("POST", owner, "", dumps(bundle))).status_code
        if status >= 500 or status in _NOT_NOW:
            raise Unavailable("The service does not take it now.")
        return status

    async def _ask(self, method: str, owner: str, path: str, content: bytes | None = None) -> httpx.Response:
        base = self._urls.get(owner, f"http://{owner}:8080").rstrip("/")
        headers = {"accept": FHIR_JSON, "authorization": self._tokens.header(), "cache-control": "no-cache"}
        if content is not None:
            headers |= {"content-type": FHIR_JSON, "prefer": "return=minimal"}
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        try:
            return await self._client.request(method, f"{base}/fhir{path}", headers=headers, content=content)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # its text may name the URL
            raise Unavailable("The other service cannot be reached.") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
