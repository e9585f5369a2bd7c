"""The worklist: referrals by status, discipline, patient and parties, a page at a time, oldest first."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from services.referrals.app.queries import Referral, view
from services.referrals.domain.discipline import LOCAL
from services.referrals.domain.referral import FULFILL, is_referral
from services.referrals.domain.transitions import BUSINESS_STATUS
from shared.engine import Engine
from shared.fhir.json import Resource, loads
from shared.fhir.search import search_bundle
from shared.fhir.search.parse import CURSOR
from shared.security.caller import Caller, Discipline, Role

_LONGEST_LIST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which referrals. References are relative; None is any."""

    status: tuple[str, ...] = ()
    business_status: tuple[str, ...] = ()
    discipline: Discipline | None = None
    patient: str | None = None
    requester: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some referrals, and where the next page begins, if there is one."""

    referrals: tuple[Referral, ...]
    cursor: str | None


async def worklist(engine: Engine, caller: Caller, wanted: Wanted, *, limit: int, cursor: str | None) -> Page:
    """One page. A patient sees their own only. Raises ``Invalid`` for a cursor of another list."""
    parameters = _parameters(caller, wanted)
    paging = [("_count", str(min(limit, _LONGEST_LIST))), ("_include", "Task:focus"), ("_include", "Task:owner")]
    if cursor is not None:
        paging.append((CURSOR, cursor))
    access = engine.access(caller)
    found = await search_bundle(engine.pool, "Task", parameters + paging, base="", strict=True, access=access)
    bundle = loads(found)
    entries = [entry for entry in bundle.get("entry", ()) if "resource" in entry]
    related = {
        f"{entry['resource']['resourceType']}/{entry['resource']['id']}": entry["resource"]
        for entry in entries
        if entry["search"]["mode"] == "include"
    }
    tasks = [entry["resource"] for entry in entries if entry["search"]["mode"] == "match"]
    return Page(tuple(view(task, related) for task in tasks if is_referral(task)), _cursor(bundle))


def _parameters(caller: Caller, wanted: Wanted) -> list[tuple[str, str]]:
    """The search (http://hl7.org/fhir/R4/task.html#search). The values are codes and references: nothing to escape."""
    asked = {
        "code": "|".join(FULFILL),
        "status": ",".join(wanted.status),
        "business-status": ",".join(f"{BUSINESS_STATUS}|{code}" for code in wanted.business_status),
        "_tag": f"{LOCAL}|{wanted.discipline}" if wanted.discipline else "",
        "requester": wanted.requester or "",
        "owner": wanted.owner or "",
    }
    parameters = [(name, value) for name, value in asked.items() if value]
    patients = {wanted.patient} - {None}
    if caller.role is Role.PATIENT:
        patients.add(caller.fhir_user or "Patient/nobody")
    return parameters + [("patient", patient) for patient in sorted(filter(None, patients))]


def _cursor(bundle: Resource) -> str | None:
    url = next((link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"), None)
    return None if url is None else dict(parse_qsl(urlsplit(url).query)).get(CURSOR)
