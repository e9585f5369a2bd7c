"""Derive the table of the patient compartment (http://hl7.org/fhir/R4/compartmentdefinition-patient.html).

    python tools/derive_compartment.py COMPARTMENT_DEFINITION > shared/fhir/definitions/patient_compartment.json

COMPARTMENT_DEFINITION is ``compartmentdefinition-patient.json`` of http://hl7.org/fhir/R4/downloads.html. One line per
type that can be in a patient's compartment: the search parameters of which any that names the patient puts it there.
"""

import json
import sys
from pathlib import Path


def main(path: Path) -> None:
    """Print the table."""
    definition = json.loads(path.read_text())
    rows = {row["code"]: row["param"] for row in definition["resource"] if row.get("param")}
    lines = [f"{json.dumps(type_)}: {json.dumps(names)}" for type_, names in sorted(rows.items())]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
