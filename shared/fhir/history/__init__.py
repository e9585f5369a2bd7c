"""Histories of one resource, of a type, of the whole: parse -> Asked -> SQL -> Page -> Bundle
(http://hl7.org/fhir/R4/http.html#history)."""

from shared.fhir.history.asked import Asked, parse
from shared.fhir.history.bundle import history_bundle
from shared.fhir.history.versions import Page, find

__all__ = ["Asked", "Page", "find", "history_bundle", "parse"]
