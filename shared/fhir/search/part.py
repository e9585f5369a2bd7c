"""One filter in a statement: what it asks of a row, and how an index finds its rows."""

from dataclasses import dataclass

from shared.fhir.search.finders import Steps, again, finds
from shared.fhir.search.predicates import Shape, predicate


class Names:
    """The placeholders of a statement under construction."""

    def __init__(self, first: int) -> None:
        self._next = first

    def take(self, cast: str) -> str:
        """A new one."""
        name = f"${self._next}::{cast}"
        self._next += 1
        return name


@dataclass(frozen=True, slots=True)
class Part:
    """One filter: its condition on a row, and the SELECT by which an index finds its rows, if one can."""

    shape: Shape
    condition: str
    finds: str = ""
    few: str = ""
    """The same where none of ``steps`` is full."""
    steps: tuple[str, ...] = ()
    """What is read on the way, by name."""

    @property
    def single(self) -> bool:
        """Whether the rows come in the default order."""
        return self.shape[0] == "terms" and self.shape[-1] is True

    @property
    def linked(self) -> bool:
        """Whether the rows are found by way of others, so that those may be many and these few."""
        return bool(self.steps)


def parts_of(shapes: tuple[Shape, ...], names: Names, steps: Steps) -> list[Part]:
    """The filters of ``shapes`` in their order; what links read on the way is added to ``steps``."""
    parts = []
    for shape in shapes:
        taken: list[str] = []

        def bind(cast: str, taken: list[str] = taken) -> str:
            taken.append(names.take(cast))
            return taken[-1]

        condition = predicate(shape, bind)
        before = len(steps.texts)
        few = finds(shape, again(taken), steps=steps)
        own = tuple(f"step{number}" for number in range(before, len(steps.texts)))
        parts.append(Part(shape, condition, finds(shape, again(taken)), few, own))
    return parts
