"""Rows in PostgreSQL: current resources, their history, their index. Knows no FHIR and no HTTP."""
