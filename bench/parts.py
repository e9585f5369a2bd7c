"""What the time of one POST of a 2.7 kB CarePlan is spent on, step by step, in microseconds of one core."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from bench.material import plan, text
from shared.fhir.json import dumps, loads
from shared.fhir.search.extract import extract
from shared.fhir.validate.check import walked
from shared.fhir.validate.model import check_model
from shared.ids import uuid7
from shared.staging import stamp
from shared.store.write import Write, write_statement

REPEATS = 1_000


def post_parts() -> dict[str, float]:
    """Step -> microseconds. What is left of a POST is HTTP, the round trip to PostgreSQL and its commit."""
    body = text(plan(1, 1)).encode()
    resource = loads(body)
    walk = walked(resource)
    now = datetime.now(UTC)
    stamped = stamp(resource, uuid7(), 1, now)
    index = extract(stamped)
    write = Write("CarePlan", stamped["id"], 1, now, "POST", body, index=index)
    steps: dict[str, Callable[[], object]] = {
        "decode JSON": lambda: loads(body),
        "structure, codes, references, invariants": lambda: walked(resource),
        "fhir.resources model": lambda: list(check_model(resource, walk.types)),
        "id and meta": lambda: stamp(resource, "x", 1, now),
        "index entries": lambda: extract(stamped),
        "encode JSON": lambda: dumps(stamped),
        "statement and arguments": lambda: write_statement([write], (), [("Patient", "x")]),
    }
    return {name: round(_microseconds(step), 1) for name, step in steps.items()}


def _microseconds(step: Callable[[], object]) -> float:
    step()
    began = time.process_time()
    for _ in range(REPEATS):
        step()
    return (time.process_time() - began) / REPEATS * 1e6
