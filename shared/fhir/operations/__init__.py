"""Operations, ``$name`` (http://hl7.org/fhir/R4/operations.html): one file each, all of them listed in ``table``."""
