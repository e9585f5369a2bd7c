"""$export: of the system, of patients, of a Group (http://hl7.org/fhir/uv/bulkdata/STU2/export.html); and $import."""

from shared.fhir.bulk.receiving import receive
from shared.fhir.bulk.starting import export
from shared.fhir.operations.operation import Level, Operation

_DEFINITIONS = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"
_METHODS = ("GET", "POST")

EXPORT = Operation(
    name="export",
    definition=f"{_DEFINITIONS}/export",
    levels=frozenset({Level.SYSTEM}),
    run=export,
    methods=_METHODS,
)
PATIENT_EXPORT = Operation(
    name="export",
    definition=f"{_DEFINITIONS}/patient-export",
    levels=frozenset({Level.TYPE}),
    run=export,
    types=frozenset({"Patient"}),
    methods=_METHODS,
)
GROUP_EXPORT = Operation(
    name="export",
    definition=f"{_DEFINITIONS}/group-export",
    levels=frozenset({Level.INSTANCE}),
    run=export,
    types=frozenset({"Group"}),
    methods=_METHODS,
)
IMPORT = Operation(
    name="import",
    definition="urn:consilium:OperationDefinition:import",
    levels=frozenset({Level.SYSTEM}),
    run=receive,
    methods=("POST",),
)
"""No published guide defines it for NDJSON in the body; docs/bulk-data.md says what it does."""
