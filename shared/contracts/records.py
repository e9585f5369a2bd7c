"""What every service says of what others keep copies of: ``record.<service>.v1``, with ``RecordV1``.

The subject is the version, ``Type/<id>/_history/<version>``: these events need no order."""

from pydantic import BaseModel, ConfigDict


def record_event(service: str) -> str:
    """The event type, and routing key, of changes to what ``service`` owns."""
    return f"record.{service}.v1"


class RecordV1(BaseModel):
    """One new version of one resource. What is in it, its owner tells over FHIR."""

    model_config = ConfigDict(frozen=True)

    type: str
    id: str
    version: int
    """The versionId: who has it, or a later one, has nothing to do."""
    deleted: bool = False
