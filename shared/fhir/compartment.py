"""The patient compartment (http://hl7.org/fhir/R4/compartmentdefinition-patient.html): what belongs to a patient.

The column ``patient`` holds the one patient that a resource is about. The compartment is wider: who is an actor,
performer or recipient has a share in the resource, too, and some types have no such column at all.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import msgspec

from shared.errors import NotSupported
from shared.fhir.json import Resource
from shared.fhir.search.extract import values_at
from shared.fhir.search.filters import AnyOf, Filter, Ids, Terms
from shared.fhir.search.parameters import Parameter, parameters_of
from shared.fhir.search.params.reference import local, reference_term
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
    members = sorted(set(types) & patient_compartment().keys())
    return [(type_, term) for type_ in members for term in dict.fromkeys(terms_of(type_, (patient,)))]


def patients_of(resource: Resource) -> frozenset[str]:
    """The ids of the patients in whose compartments ``resource`` is; a Patient is in its own."""
    type_ = resource["resourceType"]
    found = {resource["id"]} if type_ == "Patient" else set()
    for parameter in _parameters(type_):
        for path in parameter.paths:
            for value in values_at(resource, path):
                target = local(value.get("reference", ""))
                if target and target[0] == "Patient":
                    found.add(target[1])
    return frozenset(found)


def terms_of(type_: str, patients: Iterable[str]) -> list[int]:
    """The index terms that resources of ``type_`` in compartments of ``patients`` carry (``index_term``)."""
    targets = [reference_term("Patient", patient) for patient in patients]
    return [link_term(parameter.key, target) for target in targets for parameter in _parameters(type_)]


def within(type_: str, patient: str) -> Filter:
    """Is in the compartment of ``patient`` (an id).

    Raises ``NotSupported`` for a type that is in nobody's."""
    if type_ not in patient_compartment():
        raise NotSupported("Resources of this type are in no patient's compartment.")
    carries = Terms(tuple(terms_of(type_, (patient,))), rank=0)
    return AnyOf((Ids((patient,)), carries)) if type_ == "Patient" else carries


@cache
def _parameters(type_: str) -> tuple[Parameter, ...]:
    return tuple(parameters_of(type_)[name] for name in patient_compartment().get(type_, ()))


@cache
def care_date(type_: str) -> int | None:
    """The key of the date parameter that tells when the care in a resource of ``type_`` took place."""
    known = parameters_of(type_)
    return next((known[name].key for name in _CARE_DATES if name in known and known[name].kind == "date"), None)
