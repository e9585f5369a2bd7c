"""Who owns what an entry of a Bundle is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from services.gateway.operations import edge_operation
from services.gateway.routing import owner_of, type_in
from services.gateway.spread import service_by, service_of_entry
from shared.engine import SPREAD
from shared.errors import Invalid, NotFound, NotSupported
from shared.fhir.bundle import conditions_in

READS = frozenset({"GET", "HEAD"})
METHODS = READS | {"POST", "PUT", "PATCH", "DELETE"}
_WHOLE = frozenset({"metadata", "_history"})


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, where it stood, and who owns what it is about."""

    position: int
    entry: dict[str, Any]
    owner: str

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        request = self.entry["request"]
        searches = request["method"] == "POST" and request["url"].partition("?")[0].endswith("/_search")
        return request["method"] in READS or searches


def owners_in(entries: Iterable[object]) -> dict[str, str]:
    """Who owns what each fullUrl stands for; types that live beside their target are left out."""
    found: dict[str, str] = {}
    for entry in entries:
        full_url = entry.get("fullUrl") if isinstance(entry, dict) else None
        request = entry.get("request") if isinstance(entry, dict) else None
        url = request.get("url") if isinstance(request, dict) else None
        if isinstance(full_url, str) and isinstance(url, str) and type_in(url) not in SPREAD:
            owner = owner_of(type_in(url))
            if owner is not None:
                found[full_url] = owner
    return found


def place(position: int, entry: object, beside: Mapping[str, str]) -> Placed:
    """The owner of ``entry``; ``beside`` are those of the others, by fullUrl.

    Raises ``Invalid``, ``NotFound`` or ``NotSupported`` with the entry's path."""
    path = f"Bundle.entry[{position}]"
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(request, dict):
        raise Invalid("The entry says no request.", code="required", expression=(f"{path}.request",))
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or method not in METHODS:
        raise Invalid("The entry's method is none of FHIR's.", code="value", expression=(f"{path}.request.method",))
    if not isinstance(url, str) or not url:
        raise Invalid("The entry says no URL.", code="required", expression=(f"{path}.request.url",))
    conditions_in(request, path)
    if _is_of_all(method, url):
        text = "What all services tell together is asked for by a request of its own, in no Bundle."
        raise NotSupported(text, expression=(f"{path}.request.url",))
    owner = owner_of(type_in(url))
    if owner is None:
        raise NotFound("The entry's URL names no resource type.", expression=(f"{path}.request.url",))
    if type_in(url) in SPREAD:
        owner = service_of_entry(url, entry.get("resource"), beside)
    return Placed(position, entry, owner)


def _is_of_all(method: str, url: str) -> bool:
    """Whether it takes all services to answer, and no entry's owner could."""
    path, _, query = url.removeprefix("/").partition("?")
    searched = path.removesuffix("/_search")
    if searched in SPREAD and (method in READS or searched != path):
        return service_by(parse_qsl(query, keep_blank_values=True)) is None
    return type_in(path) in _WHOLE or edge_operation(f"/fhir/{path}") is not None
