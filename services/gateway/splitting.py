"""NDJSON split among the services: each line goes to the owner of its type, and the others get an empty one instead.

So a line has the same number everywhere. Nothing is judged here: what is no resource goes to the shared record, which
says so.
"""

from collections.abc import Iterable

import msgspec

from services.gateway.routing import CAREPLANS, owner_of
from services.gateway.spread import service_in, service_of
from shared.engine import SPREAD
from shared.errors import ConsiliumError
from shared.fhir.json import received


class _Typed(msgspec.Struct):
    """All that is read of most lines."""

    type: str = msgspec.field(name="resourceType")


_decoder = msgspec.json.Decoder(_Typed)


def owner_of_line(line: bytes) -> str:
    """The service that deals with ``line``."""
    try:
        type_ = _decoder.decode(line).type
        if type_ not in SPREAD:
            return owner_of(type_) or CAREPLANS
        resource = received(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ConsiliumError):
        return CAREPLANS
    id_ = resource.get("id")
    return (service_in(id_) if isinstance(id_, str) else None) or service_of(resource)


class Split:
    """Lines as they come, until they are taken as bytes for each service."""

    def __init__(self, services: Iterable[str]) -> None:
        self._parts = {name: bytearray() for name in services}
        self._begun = False
        self.lines = self.size = 0
        """Of what has not been taken."""

    def add(self, line: bytes) -> None:
        """The next line, without its end."""
        text = line.strip()
        if self._begun:
            # between lines, not behind each: a part is never larger than the whole
            for part in self._parts.values():
                part += b"\n"
        self._begun = True
        if text:
            self._parts[owner_of_line(text)] += text
        self.lines += 1
        self.size += len(text)

    def take(self) -> dict[str, bytes]:
        """What each service gets next."""
        taken = {name: bytes(part) for name, part in self._parts.items()}
        self._parts = {name: bytearray() for name in taken}
        self.lines = self.size = 0
        return taken
