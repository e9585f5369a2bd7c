"""Bulk data: asynchronous ``$export`` (http://hl7.org/fhir/uv/bulkdata/STU2/export.html)."""
