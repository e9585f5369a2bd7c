"""The generic FHIR R4 REST engine (http://hl7.org/fhir/R4/http.html): driven by descriptors and tables, not by type."""
