"""Patches as pure functions: JSON Patch (RFC 6902), FHIRPath Patch (http://hl7.org/fhir/R4/http.html#patch), and JSON
Merge Patch (RFC 7396), which R4 does not name and clients send.

They take a resource that they may change, and give the patched one back.
"""

from shared.fhir.patch.fhirpath_patch import fhirpath_patched
from shared.fhir.patch.json_patch import json_patched
from shared.fhir.patch.merge_patch import merge_patched

__all__ = ["fhirpath_patched", "json_patched", "merge_patched"]
