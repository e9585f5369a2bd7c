"""Twenty thousand requests over everything that the CapabilityStatement claims: no 500, no hang, nothing unreadable.

A failure prints the request and its seed; ``CONSILIUM_FUZZ_SEED`` repeats a run, ``CONSILIUM_FUZZ_REQUESTS`` sizes it.
"""

import asyncio
import json
import os
import time
from collections import Counter
from random import Random
from xml.etree import ElementTree

import httpx
import pytest

from tests.e2e.fuzzing.surface import Asked, Surface
from tests.factories.edge import Edge

REQUESTS = int(os.environ.get("CONSILIUM_FUZZ_REQUESTS", "20000"))
SEED = int(os.environ.get("CONSILIUM_FUZZ_SEED", "20261127"))
AT_ONCE = 16
PATIENCE_S = 30.0
"""For one answer, with fifteen others under way on a busy machine."""
BOUND_S = 600.0


@pytest.mark.timeout(BOUND_S + 60)
async def test_no_request_breaks_the_server(fuzzed: Edge) -> None:
    surface = Surface((await fuzzed.ask("GET", "/fhir/metadata")).json())
    numbers = iter(range(REQUESTS))
    told: Counter[str] = Counter()
    broken: list[str] = []
    began = time.monotonic()

    async def worker() -> None:
        for number in numbers:
            if len(broken) >= 5 or time.monotonic() - began > BOUND_S:
                return
            asked = surface.request(Random(f"{SEED}-{number}"))
            try:
                problem, kind = await _problem(fuzzed, asked)
            except TimeoutError:
                problem, kind = "no answer in time", "none"
            told[kind] += 1
            if problem is not None:
                broken.append(
                    f"{SEED}-{number}: {problem}: {asked.method} {asked.url} {asked.headers} {asked.body[:400]!r}"
                )

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    assert not broken, "\n".join(broken)
    assert told.total() == REQUESTS, f"{told.total()} requests took {BOUND_S} s"
    # were everything refused, nothing but refusals would have been tried
    assert min(told[kind] for kind in ("2", "4")) > REQUESTS / 10, told


async def _problem(edge: Edge, asked: Asked) -> tuple[str | None, str]:
    """What is wrong with the answer, and the first digit of its status."""
    try:
        request = edge.client.build_request(
            asked.method, f"/fhir/{asked.url}", content=asked.body, headers=edge.bearer() | asked.headers
        )
    except (httpx.InvalidURL, UnicodeEncodeError):
        return None, "unsendable"
    answer = await asyncio.wait_for(edge.client.send(request), PATIENCE_S)
    return _wrong(asked, answer), str(answer.status_code)[0]


def _wrong(asked: Asked, answer: httpx.Response) -> str | None:
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:300]}"
    media = answer.headers.get("content-type", "").partition(";")[0]
    if asked.method == "HEAD" or not answer.content:
        return "an error without a body" if asked.method != "HEAD" and answer.status_code >= 400 else None
    try:
        if media.endswith("json"):
            content = json.loads(answer.content)
            type_ = content["resourceType"]
        elif media.endswith("xml"):
            type_ = ElementTree.fromstring(answer.content).tag.partition("}")[2]
        else:
            return None if answer.status_code < 400 else f"an error as {media}"
    except (ValueError, KeyError, TypeError, ElementTree.ParseError) as error:
        return f"{type(error).__name__} in {answer.content[:200]!r}"
    if answer.status_code >= 400 and type_ != "OperationOutcome":
        return f"{answer.status_code} with {type_}"
    return None
