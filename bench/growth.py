"""How searches grow: ``make bench-growth`` compares what 95 of 100 wait for at 10,000 and at 1,000,000 CarePlans.

Both systems run beside each other and are asked in turn, one request at a time, so that a mood of the machine touches
both. Ten plans per patient at either size; every page holds the same number of plans. ``SHAPES`` ask for what is as
rare at either size, ``SHARES`` for what is the same share of all, so that the lists behind the page grow a hundredfold:
those are shown, without a goal.
"""

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import httpx
from rich.console import Console
from rich.table import Table

from bench.load import BadAnswers, Load, p95_ms
from bench.seeding import into_the_tables
from bench.server import Running, running

OUT = Path(__file__).parent / "out" / "growth.json"
FEW, MANY = 10_000, 1_000_000
PLANS_EACH = 10
MOST = 1.5
ASKED = 500
"""Different requests of each shape, taken in turn."""

SHAPES = {
    "of a patient": "CarePlan?patient=bench-{patient}&status=active&_count=5",
    "by identifier": "CarePlan?identifier=https://consilium.care/bench|plan-{plan}",
    "of a status": "CarePlan?status=active&_count=20",
    "of a status and a category": "CarePlan?status=on-hold&category=pain-management&_count=20",
    "of a month": "CarePlan?date=ge2024-0{month}-01&date=lt2024-0{next_month}-01&_count=20",
    "newest first": "CarePlan?status=active&_sort=-_lastUpdated&_count=20",
    "chain to one patient": "CarePlan?subject:Patient.identifier=b{patient}&_count=5",
    "_has of one plan": "Patient?_has:CarePlan:patient:identifier=https://consilium.care/bench|plan-{plan}",
    "_include": "CarePlan?patient=bench-{patient}&_include=CarePlan:subject&_count=5",
    "_revinclude": "Patient?_id=bench-{patient}&_revinclude=CarePlan:patient",
    "name": "Patient?family:exact=Family{family}&given:exact=Given{given}",
}
SHARES = {
    "names that begin alike": "Patient?family=family{family}&_count=5",
    "chain to a name": "CarePlan?subject:Patient.family:exact=Family{family}&subject:Patient.given:exact=Given{given}",
    "chain to names that begin alike": "CarePlan?subject:Patient.family=family{family}&_count=5",
}


async def main(few: int, many: int, seconds: int, rounds: int) -> None:
    """Measure, print, write."""
    async with AsyncExitStack() as stack:
        small, large = [await _filled(stack, plans) for plans in (few, many)]
        waits = {
            shape: await _compared(small, large, asked, (few, many), seconds, rounds)
            for shape, asked in (SHAPES | SHARES).items()
        }
    figures = {
        shape: {"few_ms": round(before, 2), "many_ms": round(after, 2), "growth": round(after / before, 2)}
        for shape, (before, after) in waits.items()
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    table = Table("search", f"p95 at {few:,} (ms)", f"at {many:,}", "growth", "goal")
    for shape, row in figures.items():
        table.add_row(shape, *(str(value) for value in row.values()), "" if shape in SHARES else f"<= {MOST}")
    Console().print(table)


async def _filled(stack: AsyncExitStack, plans: int) -> Running:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="consilium-growth-")))
    os.chmod(folder, 0o755)
    system = await stack.enter_async_context(running(folder))
    database = system.databases.format(database="consilium_careplans")
    await into_the_tables(database, range(plans), plans // PLANS_EACH)
    return system


async def _compared(
    small: Running, large: Running, asked: str, plans: tuple[int, int], seconds: int, rounds: int
) -> tuple[float, float]:
    """Milliseconds at each size, the median of the rounds."""
    systems = [(system, _load(system, asked, size)) for system, size in zip((small, large), plans, strict=True)]
    for system, load in systems:
        await _check(system, load)
    taken: list[list[float]] = [[], []]
    for turn in range(rounds + 1):
        for series, (_, load) in zip(taken, systems, strict=True):
            waited = await p95_ms(load, seconds=seconds)
            if turn:  # the first round fills caches
                series.append(waited)
    return median(taken[0]), median(taken[1])


async def _check(system: Running, load: Load) -> None:
    """A search that finds nothing measures nothing."""
    async with httpx.AsyncClient(base_url=system.url, headers=dict(system.headers)) as client:
        answer = await client.get(load.paths[1])
    if not answer.json().get("entry"):
        raise BadAnswers(f"{load.paths[1]} finds nothing")


def _load(system: Running, asked: str, plans: int) -> Load:
    return Load(system.url, tuple(_paths(asked, plans)), headers=system.headers)


def _paths(template: str, plans: int) -> Iterator[str]:
    for number in range(ASKED):
        plan, month = number * 7919 % plans, 1 + number % 8
        patient = plan % (plans // PLANS_EACH)
        family, given = patient % 977, patient % 389  # as in ``material.patient``
        yield "/fhir/" + template.format(
            plan=plan, patient=patient, family=family, given=given, month=month, next_month=month + 1
        )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(prog="bench.growth")
    arguments.add_argument("--few", type=int, default=FEW)
    arguments.add_argument("--many", type=int, default=MANY)
    arguments.add_argument("--seconds", type=int, default=4)
    arguments.add_argument("--rounds", type=int, default=3)
    told = arguments.parse_args()
    asyncio.run(main(told.few, told.many, told.seconds, told.rounds))
