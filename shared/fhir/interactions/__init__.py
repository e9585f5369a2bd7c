"""One file per FHIR interaction (http://hl7.org/fhir/R4/http.html).

An interaction is ``async (engine, request) -> Response`` and raises ``ConsiliumError``. Writes come in two halves:
``stage`` works inside a unit of work that a transaction Bundle may share, and the interaction itself commits.
"""
