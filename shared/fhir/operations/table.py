"""The operations of every service, and of one alone. A file of its own names each; this one finds it by a path."""

from collections.abc import Iterator, Sequence

from shared.errors import NotFound
from shared.fhir.operations import bulk, everything, meta, meta_changes, validate
from shared.fhir.operations.operation import Level, Operation

OF_ALL: tuple[Operation, ...] = (
    everything.EVERYTHING,
    meta.META,
    meta_changes.META_ADD,
    meta_changes.META_DELETE,
    validate.VALIDATE,
    bulk.EXPORT,
    bulk.PATIENT_EXPORT,
    bulk.GROUP_EXPORT,
    bulk.IMPORT,
)


def operation_at(path: tuple[str, ...], own: Sequence[Operation]) -> Operation:
    """What ``path``, which ends in ``$name``, asks for: of all services, or of this service's ``own``.

    Raises ``NotFound``."""
    *above, name = path
    type_ = above[0] if above else ""
    level = (Level.SYSTEM, Level.TYPE, Level.INSTANCE)[len(above)]
    for operation in (*OF_ALL, *own):
        if f"${operation.name}" == name and operation.serves(level, type_):
            return operation
    raise NotFound("There is no such operation here.", code="not-supported")


def operations_of(type_: str, own: Sequence[Operation]) -> Iterator[Operation]:
    """Those of ``type_`` or of its instances; of the system as a whole where it is empty."""
    levels = (Level.TYPE, Level.INSTANCE) if type_ else (Level.SYSTEM,)
    return (each for each in (*OF_ALL, *own) if any(each.serves(level, type_) for level in levels))
