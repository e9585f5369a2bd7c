"""The Questionnaires that may be shipped freely (docs/measures.md), one file each."""

from functools import lru_cache
from importlib.resources import files

from shared.fhir.json import Resource, loads


@lru_cache(maxsize=1)
def questionnaires() -> tuple[Resource, ...]:
    """All of them, by id, ready to be stored under their own ids."""
    found = (file for file in files(__name__).iterdir() if file.name.endswith(".json"))
    return tuple(loads(file.read_bytes()) for file in sorted(found, key=lambda file: file.name))
