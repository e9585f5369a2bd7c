"""A patient's record as the safety rules read it: as far as a caller may see it."""

from collections.abc import Iterable, Mapping

from services.careplans.domain.safety.kidney import CODES
from services.careplans.domain.safety.medications import TYPES
from services.careplans.domain.safety.merging import Record
from services.careplans.domain.safety.reading import LOINC, child, local_reference
from services.careplans.store import safety
from shared.engine import Engine
from shared.errors import Unprocessable
from shared.fhir.json import Resource, loads
from shared.fhir.search import search
from shared.fhir.search.access import Access, condition
from shared.store import resources
from shared.store.database import Connection, Pool

RESULTS = 20
"""eGFR results, the newest first."""
_EGFR = ",".join(f"{LOINC}|{code}" for code in sorted(CODES))


async def record_of(
    engine: Engine, access: Access, patient: str, connection: Connection | Pool | None = None
) -> Record:
    """The record of ``Patient/x`` by type, with the Medications it refers to; empty where there is none to be seen.

    Raises ``Unprocessable`` where it is too large to be judged."""
    source = engine.pool if connection is None else connection
    id_ = patient.removeprefix("Patient/")
    seen = condition(access, safety.RECORD)
    bodies = await safety.record(source, id_, seen=seen)
    if len(bodies) > safety.MOST:
        raise Unprocessable("The record is too large for the safety rules.", code="too-costly")
    found: dict[str, list[Resource]] = {}
    for body in bodies:
        resource: Resource = loads(body)
        found.setdefault(resource["resourceType"], []).append(resource)
    if any(found.get(type_) for type_ in TYPES):
        asked = [("patient", patient), ("code", _EGFR), ("_sort", "-date"), ("_count", str(RESULTS))]
        page = await search(source, "Observation", asked, access=access, clock=engine.clock)
        found["Observation"] = [loads(each.body) for each in page.matches]
        found["Medication"] = await medications(source, access, _named(found))
    return found


async def medications(source: Connection | Pool, access: Access, ids: Iterable[str]) -> list[Resource]:
    """The Medications that a patient's medicines refer to; they are of no patient themselves."""
    keys = sorted({("Medication", id_) for id_ in ids})
    if not keys:
        return []
    found = await resources.read_many(source, keys, seen=condition(access, {"Medication"}))
    return [loads(each.body) for each in found if not each.deleted]


def _named(record: Mapping[str, list[Resource]]) -> Iterable[str]:
    links = (
        local_reference(child(each, "medicationReference"))
        for type_ in safety.MEDICINES
        for each in record.get(type_, ())
    )
    return (each.split("/")[1] for each in links if each and each.startswith("Medication/"))
