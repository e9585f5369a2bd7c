"""FHIR XML and JSON into each other without loss (http://hl7.org/fhir/R4/xml.html), driven by R4's definitions.

Why by a table and not by models: docs/adr/0018-xml.md. What is stored is JSON; XML is made and read at the edge.
"""

from shared.fhir.xml.reading import FHIR, from_xml
from shared.fhir.xml.writing import to_xml

__all__ = ["FHIR", "from_xml", "to_xml"]
