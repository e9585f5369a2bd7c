"""Required bindings: the code must be one of the value set (http://hl7.org/fhir/R4/terminologies.html#required)."""

from collections.abc import Mapping
from typing import Any

from shared.fhir.definitions.table import codes
from shared.fhir.validate.primitives import primitive
from shared.fhir.validate.walk import Place, Run, Walk

_NOT_IN_LIST = "This is not one of the codes that R4 requires here."


def bound_code(name: str) -> Run:
    """A ``code`` out of the value set ``name``."""
    allowed = frozenset[str]().union(*codes(name).values())
    well_formed = primitive("code")

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        if type(value) is str and value in allowed:
            return
        before = len(walk.issues)
        well_formed(value, parent, label, index, walk)
        if len(walk.issues) == before:
            walk.report("code-invalid", _NOT_IN_LIST, parent, label, index)

    return run


def bound_coding(name: str, structure: Run) -> Run:
    """A ``Coding`` out of the value set ``name``; ``structure`` checks the datatype."""
    allowed = codes(name)

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        before = len(walk.issues)
        structure(value, parent, label, index, walk)
        if len(walk.issues) == before and not _in(value, allowed) and not _unsaid(value, "code"):
            walk.report("code-invalid", _NOT_IN_LIST, parent, label, index)

    return run


def bound_concept(name: str, structure: Run) -> Run:
    """A ``CodeableConcept`` of which at least one coding is out of the value set ``name``; text alone will not do."""
    allowed = codes(name)

    def run(value: Any, parent: Place, label: str, index: int, walk: Walk) -> None:
        before = len(walk.issues)
        structure(value, parent, label, index, walk)
        if len(walk.issues) > before or _unsaid(value, "coding"):
            return
        codings = value.get("coding", ())
        if not any(_in(coding, allowed) or _unsaid(coding, "code") for coding in codings):
            walk.report("code-invalid", "None of the codings is one that R4 requires here.", parent, label, index)

    return run


def _in(coding: Mapping[str, Any], allowed: Mapping[str, frozenset[str]]) -> bool:
    return coding.get("code") in allowed.get(coding.get("system", ""), ())


def _unsaid(value: Mapping[str, Any], element: str) -> bool:
    """An extension, such as data-absent-reason, stands in the place of ``element``."""
    return element not in value and ("extension" in value or f"_{element}" in value)
