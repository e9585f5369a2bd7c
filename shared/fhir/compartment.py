"""The patient compartment (http://hl7.org/fhir/R4/compartmentdefinition-patient.html): what belongs to a patient."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from shared.fhir.search.parameters import parameters_of
from shared.fhir.search.params.reference import reference_term
from shared.store.indexing import link_term

_FILE = Path(__file__).parent / "definitions" / "patient_compartment.json"
_CARE_DATES = (
    *("date", "effective-time", "onset-date", "period", "authored", "authoredon", "authored-on", "occurrence"),
    *("recorded", "sent", "created", "issued", "start-date", "whenhandedover", "datewritten", "started", "collected"),
)
"""The parameter that tells when care took place, the first that a type has."""


@cache
def patient_compartment() -> Mapping[str, tuple[str, ...]]:
    """By type, the reference parameters of which any puts a resource into the compartment of the patient it names."""
    return msgspec.json.decode(_FILE.read_bytes(), type=dict[str, tuple[str, ...]])


def places(types: Iterable[str], patient: str) -> list[tuple[str, int]]:
    """(type, term) of every way into the compartment of ``patient`` (an id) for ``types``, by type."""
    found: dict[tuple[str, int], None] = {}
    for type_ in sorted(set(types) & patient_compartment().keys()):
        known = parameters_of(type_)
        for name in patient_compartment()[type_]:
            if name in known:
                found[type_, link_term(known[name].key, reference_term("Patient", patient))] = None
    return list(found)


@cache
def care_date(type_: str) -> int | None:
    """The key of the date parameter that tells when the care in a resource of ``type_`` took place."""
    known = parameters_of(type_)
    return next((known[name].key for name in _CARE_DATES if name in known and known[name].kind == "date"), None)
