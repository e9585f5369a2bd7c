"""Documents (http://hl7.org/fhir/R4/documents.html): of a stored Composition, and of a care plan for a hand-over."""
