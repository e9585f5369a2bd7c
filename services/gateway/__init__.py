"""The edge: one FHIR base and one ``/api`` over all services.

It owns no resource and has no database. It forwards by resource type to the service that owns the type, splits batches
over the services, sends a transaction whole to the one service that it writes to (conditional references to types of
other services are resolved first), merges the CapabilityStatements, the histories and the health of all, streams a
patient's whole record (``$everything``). A service behind it is an ASGI app: the service itself in one process, or a
``ForwardingApp`` that speaks HTTP to it. It says and hears nothing.
"""
