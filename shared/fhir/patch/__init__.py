"""Patches: JSON Patch (RFC 6902) and FHIRPath Patch (http://hl7.org/fhir/R4/http.html#patch), as pure functions.

``json_patched`` and ``fhirpath_patched`` take a resource that they may change, and give the patched one back.
"""

from shared.fhir.patch.fhirpath_patch import fhirpath_patched
from shared.fhir.patch.json_patch import json_patched

__all__ = ["fhirpath_patched", "json_patched"]
