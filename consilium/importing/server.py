"""The FHIR server as the importer sees it: Bundles in, what became of each entry out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from consilium.importing.units import Entry, Unit
from shared.errors import ConsiliumError
from shared.fhir.json import dumps, loads

ENTRIES_PER_BATCH = 100
_HEADERS = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}


class NotBelieved(PermissionError):
    """The server does not accept our token, so whatever we send would be refused."""

    def __init__(self) -> None:
        super().__init__(
            "The server does not accept our token (401). Is CONSILIUM_DATA_DIR the server's? "
            "One that has another issuer wants a token of that (--token of `consilium import`)."
        )


class Busy(Exception):
    """The server could not take the request now; it was not processed."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one entry: ``reference`` (``Type/id``) where it is stored, else ``reason``."""

    reference: str | None
    reason: str | None = None


class Server:
    """A FHIR base. Only requests that were certainly not processed are sent again."""

    def __init__(self, client: httpx.AsyncClient, base: str, token: str | None, *, attempts: int) -> None:
        self._client = client
        self._base = base
        self._headers = _HEADERS | ({"authorization": f"Bearer {token}"} if token else {})
        self._attempts = attempts

    async def send(self, unit: Unit) -> list[Fate]:
        """The fate of each entry of ``unit``, sent as a transaction or a batch. Raises ``NotBelieved``."""
        try:
            status, content = await self._post("transaction" if unit.atomic else "batch", unit.entries)
        except Busy:
            return [Fate(None, "the server cannot be reached or is busy")] * len(unit.entries)
        except httpx.TransportError as error:
            reason = f"no answer ({type(error).__name__}); it may be stored or not"
            return [Fate(None, reason)] * len(unit.entries)
        entries = content.get("entry", []) if status == 200 and isinstance(content, dict) else []
        if len(entries) != len(unit.entries):
            reason = _reason(content) or "refused without a reason"
            return [Fate(None, f"{status}: {reason}")] * len(unit.entries)
        return [_fate(entry, sent) for entry, sent in zip(entries, unit.entries, strict=True)]

    async def read(self, urls: Sequence[str]) -> list[dict[str, Any]]:
        """The response entries of GETs. Raises ``Busy``, ``httpx.TransportError`` or ``PermissionError``."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(urls), ENTRIES_PER_BATCH):
            chunk = urls[start : start + ENTRIES_PER_BATCH]
            entries: list[Entry] = [{"request": {"method": "GET", "url": url}} for url in chunk]
            status, content = await self._post("batch", entries)
            if status != 200 or not isinstance(content, dict):
                raise PermissionError(f"{status}: {_reason(content) or 'the server refuses to be read'}")
            found.extend(content.get("entry", []))
        return found

    async def _post(self, type_: str, entries: Iterable[Entry]) -> tuple[int, Any]:
        body = dumps({"resourceType": "Bundle", "type": type_, "entry": list(entries)})
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Busy),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=0.2, max=5),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                status, content = await self._once(body)
                if status == 401 or _all_refused(content):
                    raise NotBelieved
                return status, content
        raise AssertionError("tenacity either returns or raises")

    async def _once(self, body: bytes) -> tuple[int, Any]:
        try:
            answer = await self._client.post(self._base, content=body, headers=self._headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Busy from error
        if answer.status_code in (429, 503):
            raise Busy
        try:
            return answer.status_code, loads(answer.content)
        except ConsiliumError:
            return answer.status_code, None


def _all_refused(content: Any) -> bool:
    """Whether a batch was taken apart and nobody took any of it."""
    entries = content.get("entry", []) if isinstance(content, dict) else []
    return bool(entries) and all(_status(entry).startswith("401") for entry in entries)


def _status(entry: dict[str, Any]) -> str:
    return str(entry.get("response", {}).get("status", ""))


def _fate(entry: dict[str, Any], sent: Entry) -> Fate:
    response, status = entry.get("response", {}), _status(entry)
    if not status.startswith("2"):
        return Fate(None, f"{status[:3]}: {_reason(response.get('outcome')) or 'refused without a reason'}")
    location = response.get("location")
    if isinstance(location, str):
        parts = location.split("/_history/")[0].split("/")
        return Fate("/".join(parts[-2:]))
    return Fate(str(sent["request"]["url"]))


def _reason(outcome: Any) -> str:
    """What an OperationOutcome says, in a line."""
    if not isinstance(outcome, dict):
        return ""
    told = []
    for issue in outcome.get("issue", [])[:5]:
        where = f" at {', '.join(issue['expression'][:3])}" if issue.get("expression") else ""
        told.append(f"{issue.get('diagnostics') or issue.get('code')}{where}")
    return "; ".join(told)
