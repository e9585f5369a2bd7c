"""A dataclass as the columns of a table: many rows go to PostgreSQL as one array for each column."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, get_args, get_type_hints

_CASTS = {int: "bigint", datetime: "timestamptz", str: "text"}


class Columns:
    """Those of one row type; its fields are named like them, and are numbers, moments or texts."""

    def __init__(self, row: type[Any]) -> None:
        hints = get_type_hints(row)
        self.names = [field.name for field in fields(row)]
        self.listed = ", ".join(self.names)
        self._casts = [_cast(hints[name]) for name in self.names]
        self._of = attrgetter(*self.names)  # astuple copies each value deeply

    def unnested(self, first: int = 1) -> str:
        """``unnest`` of the parameters from ``$first`` on."""
        arrays = ", ".join(f"${number}::{cast}[]" for number, cast in enumerate(self._casts, start=first))
        return f"unnest({arrays})"

    def arrays(self, rows: Sequence[Any]) -> list[list[Any]]:
        """The parameters of ``unnested``."""
        values = list(map(self._of, rows))
        return [[row[number] for row in values] for number in range(len(self.names))]


def _cast(hint: Any) -> str:
    [type_] = [each for each in get_args(hint) or (hint,) if each is not type(None)]
    return _CASTS[type_]
