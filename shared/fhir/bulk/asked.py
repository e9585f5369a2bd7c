"""What an export was asked for, as a value that a job keeps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from shared.security.caller import Caller
from shared.security.claims import caller_of, claims_of


class Scope(StrEnum):
    """Of which resources: all, or those in compartments of patients."""

    SYSTEM = "system"
    PATIENTS = "patients"


@dataclass(frozen=True, slots=True)
class Asked:
    """One export. ``patients`` None: every patient's compartment, where ``scope`` is that of patients."""

    request: str
    """The URL of the kick-off, for the manifest."""
    types: tuple[str, ...]
    scope: Scope
    patients: frozenset[str] | None
    since: datetime | None
    since_snapshot: str | None
    """What the export saw whose transactionTime ``since`` is."""
    claims: Mapping[str, str]
    """Who asked."""

    def holds(self, patients: Collection[str]) -> bool:
        """Whether the compartment of one of ``patients`` is asked for."""
        return bool(patients) and (self.patients is None or not self.patients.isdisjoint(patients))

    @property
    def caller(self) -> Caller:
        """Who asked."""
        return caller_of(self.claims)


def asked_by(caller: Caller) -> Mapping[str, str]:
    """``Asked.claims`` of ``caller``."""
    return claims_of(caller)


def encode(asked: Asked) -> bytes:
    """For the job's row."""
    return msgspec.json.encode(asked)


def decode(stored: bytes) -> Asked:
    """From the job's row."""
    return msgspec.json.decode(stored, type=Asked)
