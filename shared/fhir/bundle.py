"""Bundle entries in and out (http://hl7.org/fhir/R4/http.html#transaction): what batch and transaction share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from typing import Any

from shared.errors import Invalid, TooLarge
from shared.fhir.http import Request, Response
from shared.fhir.json import Resource, dumps
from shared.settings import ServerSettings

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of all that a batch or transaction reads: a small Bundle of large searches would else fill the memory."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"})
_READS = frozenset({"GET", "HEAD"})
_CONDITIONS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
    "ifModifiedSince": "if-modified-since",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One request of a Bundle."""

    number: int
    method: str
    path: tuple[str, ...]
    query: str
    headers: dict[str, str]
    full_url: str | None
    resource: Resource | None

    @property
    def reads(self) -> bool:
        """Whether it changes nothing: a search may be a POST."""
        return self.method in _READS or (self.method == "POST" and self.path[-1:] == ("_search",))

    def request(self, outer: Request) -> Request:
        """The request as if it had come alone, by the caller of the Bundle."""
        # what an entry before it wrote is to be found
        headers = self.headers | {"prefer": outer.headers.get("prefer", ""), "cache-control": "no-cache"}
        if "x-provenance" in outer.headers:
            headers["x-provenance"] = outer.headers["x-provenance"]
        return Request(self.method, self.path, outer.caller, outer.base, self.query, headers, b"", self.resource)


@cache
def most_entries() -> int:
    """``CONSILIUM_MAX_BUNDLE_ENTRIES``, read once."""
    return ServerSettings().max_bundle_entries


def require_few(listed: list[Any]) -> None:
    """Raises ``TooLarge`` for more entries than are taken, with those of a batch within a batch; to be asked before any
    of them is processed."""
    left, waiting = most_entries(), [listed]
    while waiting:
        some = waiting.pop()
        left -= len(some)
        if left < 0:
            text = "The Bundle has more entries than this server takes."
            raise TooLarge(text, code="too-costly", expression=("Bundle.entry",))
        waiting += filter(None, map(_within, some))


def _within(entry: Any) -> list[Any] | None:
    """The entries of a batch that ``entry`` asks to process."""
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if isinstance(resource, dict) and resource.get("type") in ("batch", "transaction"):
        found = resource.get("entry")
        return found if isinstance(found, list) else None
    return None


def entries(bundle: Resource, base: str) -> list[Entry]:
    """The requests in ``bundle``. Raises ``Invalid`` naming the first entry that is none."""
    return [entry_at(number, entry, base) for number, entry in enumerate(listed(bundle))]


def listed(bundle: Resource) -> list[Any]:
    """What ``bundle`` lists, as it came. Raises ``Invalid`` for what is no list, ``TooLarge`` for a long one."""
    found = bundle.get("entry", [])
    if not isinstance(found, list):
        raise Invalid("Bundle.entry is a list.", code="structure", expression=("Bundle.entry",))
    require_few(found)
    return found


def entry_at(number: int, entry: Any, base: str) -> Entry:
    """The request in ``entry``, which stands at ``number``. Raises ``Invalid`` when it is none."""
    where = f"Bundle.entry[{number}]"
    asked = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(asked, dict):
        raise Invalid("An entry needs a request.", code="required", expression=(f"{where}.request",))
    method, url = asked.get("method"), asked.get("url")
    if not isinstance(method, str) or method not in _METHODS:
        raise Invalid("The method is not one of HTTP.", code="value", expression=(f"{where}.request.method",))
    if not isinstance(url, str) or not url:
        raise Invalid("An entry's request needs a url.", code="required", expression=(f"{where}.request.url",))
    resource, full_url = entry.get("resource"), entry.get("fullUrl")
    searches = method == "POST" and url.partition("?")[0].endswith("/_search")
    if method in ("POST", "PUT", "PATCH") and not searches and not isinstance(resource, dict):
        raise Invalid("The entry needs a resource.", code="required", expression=(f"{where}.resource",))
    if full_url is not None and not isinstance(full_url, str):
        raise Invalid("fullUrl is a uri.", code="structure", expression=(f"{where}.fullUrl",))
    headers = conditions_in(asked, where)
    path, _, query = url.removeprefix(base).lstrip("/").partition("?")
    return Entry(number, method, tuple(path.split("/")) if path else (), query, headers, full_url, resource)


def conditions_in(asked: Mapping[str, Any], where: str) -> dict[str, str]:
    """The headers that the request ``asked`` of the entry at ``where`` stands for. Raises ``Invalid`` for one that is
    no text: a guard that were passed over would let through what it is to stop."""
    headers = {header: asked[name] for name, header in _CONDITIONS.items() if name in asked}
    for name, header in _CONDITIONS.items():
        if not isinstance(headers.get(header, ""), str):
            text = "A condition of an entry's request is a text."
            raise Invalid(text, code="structure", expression=(f"{where}.request.{name}",))
    return headers


def read_answer(method: str, answer: Response) -> Response:
    """The answer to an entry's ``method``: HEAD has no body (http://hl7.org/fhir/R4/http.html#head)."""
    return replace(answer, body=b"") if method == "HEAD" and answer.status < 400 else answer


def status_of(code: int) -> str:
    """``Bundle.entry.response.status``: the code and its phrase (``404 Not Found``); a code without one alone."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)


def response_bundle(kind: str, answers: Iterable[Response], *, representations: bool) -> Response:
    """A ``batch-response`` or ``transaction-response``; resources are spliced in as bytes where asked for, or read."""
    parts = b",".join(_answer(answer, representations=representations) for answer in answers)
    head = dumps({"resourceType": "Bundle", "type": kind})[:-1]
    return Response(200, head + (b',"entry":[' + parts + b"]}" if parts else b"}"))


def _answer(answer: Response, *, representations: bool) -> bytes:
    told: dict[str, Any] = {"status": status_of(answer.status)}
    headers = dict(answer.headers)
    if b"location" in headers:
        told["location"] = headers[b"location"].decode()
    if b"etag" in headers:
        told["etag"] = headers[b"etag"].decode()
    is_write = b"location" in headers
    if answer.status >= 400 or answer.body.startswith(b'{"resourceType":"OperationOutcome"'):
        return b'{"response":' + dumps(told)[:-1] + b',"outcome":' + answer.body + b"}}"
    resource = b"" if not answer.body or (is_write and not representations) else b'"resource":' + answer.body + b","
    return b"{" + resource + b'"response":' + dumps(told) + b"}"
