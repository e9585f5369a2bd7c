"""REST, below ``/api/notifications``; the FHIR side needs no operations of its own yet."""
