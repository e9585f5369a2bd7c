"""Validation against R4 at the door (http://hl7.org/fhir/R4/validation.html): ``check`` is the whole of it.

One walk over the plain dict finds all defects of structure, datatypes, required codes, reference targets and
invariants, and collects the local references; what passes is shown to the ``fhir.resources`` model once. The facts are
those of ``shared.fhir.definitions``; the rules that need thought are named in ``invariants``.
"""

from shared.fhir.validate.check import check, prepare
from shared.fhir.validate.walk import LocalReference

__all__ = ["LocalReference", "check", "prepare"]
