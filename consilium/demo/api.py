"""The demo's view of the server: FHIR and REST, each call with somebody's own token."""

from typing import Any

import httpx

from consilium.local import local_token
from shared.fhir.json import dumps, loads
from shared.security.caller import Caller


class Refused(RuntimeError):
    """The server did not do what the story needs."""


class Api:
    """A running server. Every call says who calls."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self._client = client
        self._base = base
        self._tokens: dict[str, str | None] = {}

    async def get(self, caller: Caller, path: str) -> Any:
        """The JSON at ``path``; None where there is nothing (404). Raises ``Refused``."""
        answer = await self._call(caller, "GET", path)
        if answer.status_code == 404:
            return None
        return self._content(answer, "GET", path)

    async def search(self, caller: Caller, query: str) -> list[dict[str, Any]]:
        """The resources of a search's first page. Raises ``Refused``."""
        bundle = await self.get(caller, f"/fhir/{query}")
        return [entry["resource"] for entry in bundle.get("entry", [])]

    async def put(self, caller: Caller, resource: dict[str, Any]) -> Any:
        """Store ``resource`` over the version that it was read in. Raises ``Refused``."""
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        version = resource.get("meta", {}).get("versionId")
        headers = {"if-match": f'W/"{version}"'} if version else {}
        return self._content(await self._call(caller, "PUT", path, resource, headers), "PUT", path)

    async def transaction(self, caller: Caller, entries: list[dict[str, Any]]) -> list[str]:
        """Store ``entries`` together; their references. Raises ``Refused``."""
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        content = self._content(await self._call(caller, "POST", "/fhir", bundle), "POST", "/fhir")
        locations = [entry["response"]["location"].split("/_history/")[0] for entry in content["entry"]]
        return ["/".join(location.split("/")[-2:]) for location in locations]

    async def _call(
        self, caller: Caller, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        if caller.subject not in self._tokens:
            self._tokens[caller.subject] = local_token(caller)
        token = self._tokens[caller.subject]
        sent = {"content-type": "application/fhir+json"} | (headers or {})
        if token:
            sent["authorization"] = f"Bearer {token}"
        content = dumps(body) if body is not None else None
        return await self._client.request(method, self._base + path, content=content, headers=sent)

    @staticmethod
    def _content(answer: httpx.Response, method: str, path: str) -> Any:
        if answer.is_success:
            return loads(answer.content) if answer.content else None
        raise Refused(f"{method} {path.partition('?')[0]}: {answer.status_code} {answer.text[:500]}")
