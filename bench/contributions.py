"""Many contributions to one plan at once: ``make bench-contributions``.

Over HTTP, by clinicians of three disciplines, all made from the same version: each adds an activity and a note of its
own. Then the plan is looked at: every one of them must be in it, once, in a version of its own.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.server import Running, running

OUT = Path(__file__).parent / "out" / "contributions.json"
AT_ONCE, ACTIVITIES = 200, 20
MOST_S = 10.0
DISCIPLINES = ("pain-medicine", "mental-health", "physical-therapy")

Plan = dict[str, Any]


async def main(at_once: int, activities: int) -> bool:
    """Measure, print, write; whether the goal holds."""
    with tempfile.TemporaryDirectory(prefix="consilium-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        async with running(Path(folder)) as system:
            tokens = [await asyncio.to_thread(_token, folder, each) for each in DISCIPLINES]
            limits = httpx.Limits(max_connections=at_once)
            async with httpx.AsyncClient(base_url=system.url, timeout=120, limits=limits) as client:
                plan = await _plan(client, system, activities)
                took, longest = await _contribute(client, plan, tokens, at_once)
                await _check(client, system, plan, at_once)
    figures = {"at_once": at_once, "activities": activities, "took_s": round(took, 2), "longest_s": round(longest, 2)}
    table = Table("contributions", "activities before", "all (s)", "the longest (s)", "at most (s)", "holds")
    holds = took <= MOST_S
    table.add_row(*(str(each) for each in figures.values()), f"{MOST_S:.0f}", "yes" if holds else "NO")
    Console(width=100).print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    return holds


async def _plan(client: httpx.AsyncClient, system: Running, activities: int) -> Plan:
    headers = dict(system.headers)
    patient = {"resourceType": "Patient", "id": "bench", "name": [{"family": "Bench"}]}
    (await client.put("/fhir/Patient/bench", json=patient, headers=headers)).raise_for_status()
    opened = await client.post("/api/plans", json={"patient": "Patient/bench"}, headers=headers)
    path = f"/fhir/{opened.raise_for_status().json()['care_plan']}"
    plan: Plan = (await client.get(path, headers=headers)).json()
    plan |= {"status": "active", "activity": [_activity(f"before {number}") for number in range(activities)]}
    if not activities:
        del plan["activity"]
    stored: Plan = (await client.put(path, json=plan, headers=headers)).raise_for_status().json()
    return stored


def _activity(text: str) -> Plan:
    return {"detail": {"status": "not-started", "description": text, "code": {"text": text}}}


async def _contribute(client: httpx.AsyncClient, plan: Plan, tokens: list[str], at_once: int) -> tuple[float, float]:
    """Seconds that all of them took, and the one that waited longest."""

    async def one(number: int) -> float:
        note = {"text": f"note {number}."}
        mine = plan | {"activity": [*plan.get("activity", ()), _activity(f"new {number}.")], "note": [note]}
        body = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": mine}]}
        headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}", "Content-Type": "application/fhir+json"}
        sent = time.perf_counter()
        answer = await client.post(f"/fhir/CarePlan/{plan['id']}/$contribute", json=body, headers=headers)
        answer.raise_for_status()
        return time.perf_counter() - sent

    began = time.perf_counter()
    waited = await asyncio.gather(*map(one, range(at_once)))
    return time.perf_counter() - began, max(waited)


async def _check(client: httpx.AsyncClient, system: Running, before: Plan, at_once: int) -> None:
    """Raises ``AssertionError`` where a contribution is missing or there twice."""
    answer = await client.get(f"/fhir/CarePlan/{before['id']}", headers=dict(system.headers))
    versions = int(answer.json()["meta"]["versionId"]) - int(before["meta"]["versionId"])
    assert versions == at_once, f"{at_once} contributions made {versions} versions"
    for number in range(at_once):
        for word in (f'"note {number}."', f'"description":"new {number}."'):
            assert answer.text.count(word) == 1, f"{word} is there {answer.text.count(word)} times"


def _token(folder: str, discipline: str) -> str:
    consilium = str(Path(sys.executable).with_name("consilium"))
    arguments = [consilium, "token", "--role", "clinician", "--discipline", discipline]
    arguments += ["--fhir-user", f"Practitioner/{discipline}"]
    environment = os.environ | {"CONSILIUM_DATA_DIR": folder}
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("--activities", type=int, default=ACTIVITIES)
    given = parser.parse_args()
    sys.exit(0 if asyncio.run(main(given.at_once, given.activities)) else 1)
