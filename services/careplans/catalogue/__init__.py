"""The treatment catalogue: its sources in YAML, their schema, and the FHIR definitions that are made of them."""
