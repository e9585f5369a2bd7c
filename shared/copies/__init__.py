"""Read-only copies of what other services own, for searches that cross services (docs/adr/0020-copies.md).

Events tell of a change, the body is read from its owner over FHIR. A copy is a row of the store like any other, of a
type that the service does not own: chains and includes find it, no interaction does.
"""
