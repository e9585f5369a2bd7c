"""A kick-off becomes a job: 202, and where its status is (http://hl7.org/fhir/uv/bulkdata/STU2/export.html)."""

from dataclasses import dataclass
from datetime import datetime

from shared.engine import Engine
from shared.errors import Conflict, Forbidden, Invalid, TooMany
from shared.fhir.bulk.asked import Asked, Scope, asked_by, encode
from shared.fhir.bulk.exporting import Place
from shared.fhir.bulk.kick_off import KickOff, chosen, kick_off, members_of
from shared.fhir.bulk.part import Part, Reach, part_of
from shared.fhir.bulk.selecting import patients_seen
from shared.fhir.bulk.settings import BulkSettings
from shared.fhir.compartment import patient_compartment
from shared.fhir.http import Request, Response
from shared.fhir.json import loads
from shared.reading import current
from shared.security.caller import Caller, Role
from shared.store import jobs

EXPORT = "export"


@dataclass(frozen=True, slots=True)
class _Started:
    id: str
    at: datetime
    part: Part | None


def require_system(caller: Caller) -> None:
    """Raises ``Forbidden``: bulk data is for back ends, not for people at work."""
    if caller.role is not Role.SYSTEM:
        raise Forbidden("Bulk data is for callers of the role system.")


async def started(engine: Engine, request: Request, settings: BulkSettings) -> _Started:
    """Which job ``request`` makes, and as of when: the gateway's, where it asks for a part.

    The moment has milliseconds, so that a client gives back exactly what it was told. Raises ``TooMany``."""
    require_system(request.caller)
    now = engine.clock()
    part = part_of(request, now)
    if await jobs.running(engine.pool, request.caller.subject) >= settings.bulk_jobs_per_caller:
        raise TooMany("Too many jobs of this caller are running; try again when one has ended.")
    if part is not None:
        return _Started(part.id, part.at, part)
    return _Started(engine.ids(), now.replace(microsecond=now.microsecond // 1000 * 1000), None)


async def export(engine: Engine, request: Request) -> Response:
    """202 with the URL of the status; the worker does the rest.

    Raises ``Invalid``, ``NotSupported`` for what cannot be exported, ``NotFound`` and ``Gone`` for a Group."""
    settings = BulkSettings()
    one = await started(engine, request, settings)
    reach = _reach(request) if one.part is None else one.part.reach
    scope = Scope.SYSTEM if reach is Reach.SYSTEM else Scope.PATIENTS
    wanted = kick_off(request, of_patients=scope is Scope.PATIENTS)
    patients = wanted.patients
    if reach is Reach.PATIENTS and patients:
        await _require_present(engine, request.caller, patients)
    if reach is Reach.MEMBERS and one.part is None:
        group = await current(engine, request.caller, "Group", request.path[1])
        patients = chosen(members_of(loads(group.body)), patients)
    elif reach is Reach.MEMBERS:
        patients = patients or frozenset()
    since_snapshot = None if wanted.since is None else await jobs.snapshot_at(engine.pool, wanted.since)
    types = _types(engine, wanted, scope, whole=one.part is None)
    asked = Asked(
        request=f"{request.base}/{one.part.request}" if one.part else _url(request),
        types=types,
        scope=scope,
        patients=patients,
        since=wanted.since,
        since_snapshot=since_snapshot,
        claims=asked_by(request.caller),
    )
    made = await jobs.add(
        engine.pool,
        id=one.id,
        kind=EXPORT,
        subject=request.caller.subject,
        asked=encode(asked),
        at=one.at,
        position=Place().encode(),
        total=len(types),
        expires_at=engine.clock() + settings.kept,
    )
    if not made:
        raise Conflict("There is a job of this id already.")
    return Response(202, headers=((b"content-location", f"{request.base}/bulk-export/{one.id}".encode()),))


def _reach(request: Request) -> Reach:
    return (Reach.SYSTEM, Reach.PATIENTS, Reach.MEMBERS)[len(request.path) - 1]


def _types(engine: Engine, wanted: KickOff, scope: Scope, *, whole: bool) -> tuple[str, ...]:
    """What this service exports. Raises ``Invalid`` for a type that it cannot; in a part, another service may."""
    members = patient_compartment()
    possible = [kind.type for kind in engine.kinds if scope is Scope.SYSTEM or kind.type in members]
    if wanted.types is None:
        return tuple(sorted(possible))
    if scope is Scope.PATIENTS and not wanted.lenient and not all(type_ in members for type_ in wanted.types):
        raise Invalid(
            "A type is in no patient's compartment; the export of the system has it.",
            code="not-supported",
            expression=("_type",),
        )
    if whole and not wanted.lenient and not all(type_ in engine.kinds for type_ in wanted.types):
        raise Invalid("A type is not served here.", code="not-supported", expression=("_type",))
    return tuple(type_ for type_ in wanted.types if type_ in possible)


async def _require_present(engine: Engine, caller: Caller, patients: frozenset[str]) -> None:
    """Raises ``Invalid`` where ``caller`` sees no such patient, if Patients are here."""
    if "Patient" not in engine.kinds:
        return
    if await patients_seen(engine.pool, patients, engine.access(caller)) < len(patients):
        raise Invalid("A patient does not exist here.", code="not-found", expression=("patient",))


def _url(request: Request) -> str:
    query = f"?{request.query}" if request.query else ""
    return f"{request.base}/{'/'.join(request.path)}{query}"
