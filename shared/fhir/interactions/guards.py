"""What must hold before a write: If-Match and If-None-Match (http://hl7.org/fhir/R4/http.html#concurrency)."""

from shared.errors import PreconditionFailed, PreconditionRequired
from shared.fhir.etags import tags
from shared.fhir.http import Request
from shared.security.caller import Role
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork


def require_match(request: Request, stored: Stored | None) -> None:
    """``stored`` is the current version, locked. Raises ``PreconditionFailed``; ``Invalid`` for a malformed header."""
    version = None if stored is None or stored.deleted else stored.version
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    if wanted is not None and not tags(wanted).name(version):
        raise PreconditionFailed("The resource has changed since the version named in If-Match.")
    if unwanted is not None and tags(unwanted).name(version):
        raise PreconditionFailed("The resource exists already in a version named in If-None-Match.")


def require_if_match(work: UnitOfWork, request: Request, stored: Stored | None) -> None:
    """Raises ``PreconditionRequired`` where a person changes what is there without saying which version they saw.

    For which types that is so, operators say (``CONSILIUM_IF_MATCH_TYPES``)."""
    if (
        stored is not None
        and not stored.deleted
        and "if-match" not in request.headers
        and request.caller.role is not Role.SYSTEM
        and work.engine.demands_if_match(stored.type)
    ):
        raise PreconditionRequired("Send If-Match with the version that you have seen.")
