"""Clinical content as FHIR resources, in files beside the code."""
