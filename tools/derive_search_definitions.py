"""Derive where the search parameters are defined (http://hl7.org/fhir/R4/searchparameter-registry.html).

    python tools/derive_search_definitions.py SEARCH_PARAMETERS [GUIDE_PARAMETER ...] > \\
        shared/fhir/definitions/search_definitions.json

The arguments are those of ``derive_search_parameters.py``; it is to be run after it. Most parameters are defined at
``http://hl7.org/fhir/SearchParameter/<Type>-<code>``; the table holds the others: what is behind the last slash for
one of R4's own that several types share, the whole URL for one of a guide.
"""

import json
import sys
from pathlib import Path
from typing import Any

BASE = "http://hl7.org/fhir/SearchParameter/"
_PARAMETERS = Path(__file__).parents[1] / "shared" / "fhir" / "definitions" / "search_parameters.json"


def main(core: Path, guides: list[Path]) -> None:
    """Print the table."""
    known = json.loads(_PARAMETERS.read_text())
    defined = [entry["resource"] for entry in json.loads(core.read_text())["entry"]]
    table: dict[str, dict[str, str]] = {}
    for parameter in [*(json.loads(guide.read_text()) for guide in guides), *defined]:
        _note(parameter, known, table)
    print("{\n" + ",\n".join(f"{json.dumps(type_)}: {json.dumps(table[type_])}" for type_ in sorted(table)) + "\n}")


def _note(parameter: dict[str, Any], known: dict[str, dict[str, Any]], table: dict[str, dict[str, str]]) -> None:
    url, code = parameter["url"], parameter["code"]
    for type_ in parameter["base"]:
        if code in known.get(type_, {}):
            if url == f"{BASE}{type_}-{code}":
                table.get(type_, {}).pop(code, None)
            else:
                table.setdefault(type_, {})[code] = url.removeprefix(BASE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
