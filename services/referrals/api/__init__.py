"""The ways in beside the FHIR interactions."""
