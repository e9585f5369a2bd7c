"""Validation against profiles (http://hl7.org/fhir/R4/profiling.html): US Core 7.0.0, SDOH Clinical Care, BSeR.

``check_profile`` is the whole of it; a resource is checked against R4 first (``shared.fhir.validate.check``), and what
is here relies on that. Each profile is compiled once, at its first use, from the facts of ``table``.
"""

from shared.fhir.validate.profiles.check import check_profile
from shared.fhir.validate.profiles.table import known, profiles_of
from shared.fhir.validate.profiles.visit import Scope, Visit

__all__ = ["Scope", "Visit", "check_profile", "known", "profiles_of"]
