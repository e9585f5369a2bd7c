"""The variables of conditions: everything that is known of a patient, each with where it comes from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.fhir.json import Resource

Record = Mapping[str, Sequence[Resource]]
"""A patient's resources by type. A type that is absent was not looked at; an empty list is a type without entries.
Both are "not known": that nothing is recorded proves nothing."""

Value = bool | int | Decimal | str


@dataclass(frozen=True, slots=True)
class Input:
    """What one variable is. ``value`` is None where it is missing; ``note`` then says what is needed."""

    name: str
    title: str
    value: Value | None = None
    references: tuple[str, ...] = ()
    """The resources that it was read from, ``Type/id``."""
    at: str | None = None
    """The date, as the resource gives it."""
    note: str = ""

    @property
    def missing(self) -> bool:
        """Whether there is no value."""
        return self.value is None

    def told(self) -> str:
        """``PHQ-9 is 14 (2026-01-03)``; what is needed where it is missing."""
        if self.value is None:
            return self.note
        if isinstance(self.value, bool):
            if self.note:
                return f"{self.title} {self.note}"
            told = f"{self.title}: {'yes' if self.value else 'no'}"
        else:
            told = f"{self.title} is {self.value}"
        more = ", ".join(part for part in (self.at, self.note) if part)
        return f"{told} ({more})" if more else told


@dataclass(frozen=True, slots=True)
class Inputs:
    """All variables, and the raw resources for expressions that other people wrote."""

    by_name: Mapping[str, Input]
    resources: Mapping[str, Any]
    as_of: datetime

    def environment(self) -> dict[str, Any]:
        """The FHIRPath environment: each variable's value, or an empty collection."""
        values: dict[str, Any] = {
            name: [] if entry.value is None else entry.value for name, entry in self.by_name.items()
        }
        return {**self.resources, **values, "asOf": self.as_of.date().isoformat()}

    def named(self, names: Sequence[str]) -> Iterator[Input]:
        """The inputs among ``names``; raw resources are none."""
        return (self.by_name[name] for name in names if name in self.by_name)
