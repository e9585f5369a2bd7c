"""What a search needs to know before it can be parsed: value sets, code systems and Lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.fhir.addresses import below
from shared.fhir.json import Resource
from shared.fhir.search.escapes import unescape


@dataclass(frozen=True, slots=True)
class Lookups:
    """``documents``: value sets by the name that the search or another one gives them, code systems by URL;
    ``lists`` by id. What is not at hand is in neither."""

    documents: Mapping[str, Resource] = field(default_factory=dict)
    lists: Mapping[str, Resource] = field(default_factory=dict)


NOTHING = Lookups()


def named(text: str, base: str) -> str:
    """The name of a value set in a search: ``ValueSet/id`` for one of ours, else its canonical URL."""
    text = unescape(text)
    return below(base, text) or text
