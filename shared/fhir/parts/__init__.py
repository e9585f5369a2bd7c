"""A service's part of a transaction that spans services: planned, staged, prepared or committed, and finished.

Only the gateway asks for it, below ``/internal``, which no edge forwards (docs/adr/0017-transactions-over-services.md).
"""
