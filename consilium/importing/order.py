"""In which order units go: what is referred to goes first, later versions of the same resource go later."""

from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from consilium.importing.references import needs, offers
from consilium.importing.units import Unit


def ordered(units: list[Unit]) -> TopologicalSorter[int]:
    """A prepared sorter over the positions of ``units``. A circle is cut: inside it, the files' order counts."""
    graph = dependencies(units)
    while True:
        sorter = TopologicalSorter(graph)
        try:
            sorter.prepare()
        except CycleError as error:
            _cut(graph, error.args[1])
        else:
            return sorter


def dependencies(units: list[Unit]) -> dict[int, set[int]]:
    """For each position, the positions that must go before it."""
    offering: dict[str, list[int]] = defaultdict(list)
    for position, unit in enumerate(units):
        for name in {name for entry in unit.entries for name in offers(entry)}:
            offering[name].append(position)
    graph: dict[int, set[int]] = {position: set() for position in range(len(units))}
    for position, unit in enumerate(units):
        for name in {name for entry in unit.entries for name in needs(entry)}:
            found = offering.get(name, ())
            if found and position not in found:
                graph[position].add(found[0])
    for name, positions in offering.items():
        if "?" not in name:
            for earlier, later in pairwise(positions):
                graph[later].add(earlier)
    return graph


def _cut(graph: dict[int, set[int]], circle: list[int]) -> None:
    """Remove the edge of ``circle`` that makes an earlier file wait for a later one."""
    for before, after in pairwise(circle):
        if before > after and before in graph[after]:
            graph[after].discard(before)
            return
    graph[circle[1]].discard(circle[0])
