"""Bulk data: asynchronous ``$export`` and ``$import`` (http://hl7.org/fhir/uv/bulkdata/STU2/export.html)."""
