"""What SQL finds equals what a naive filter over the same resources finds."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.fhir.json import Resource
from shared.fhir.search import page as pages_of
from shared.fhir.search import statement
from tests.factories.search import ids, pages, searchable, store

Naive = Callable[[Resource], bool]
SNOMED, LOCAL = "http://snomed.info/sct", "urn:local"
STATUSES = ("active", "completed", "draft")
CODES = ((SNOMED, "1"), (SNOMED, "2"), (LOCAL, "1"), (None, "1"), (None, "3"))
FAMILIES = ("Müller", "Mueller", "O'Brien", "Ng", "de la Cruz", "MULLER")


def _moment(rng: random.Random) -> str:
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(60 * 24 * 800))
    return rng.choice(
        [at.strftime(form) for form in ("%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S-05:00")]
    )


def _coding(rng: random.Random) -> Resource:
    system, code = rng.choice(CODES)
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def _plan(number: int, rng: random.Random) -> Resource:
    plan: Resource = {
        "resourceType": "CarePlan",
        "id": f"plan-{number}",
        "status": rng.choice(STATUSES),
        "intent": "plan",
        "subject": {"reference": rng.choice(["Patient/p1", "Patient/p2", "Group/p1", "Patient/p3/_history/2"])},
        "category": [_coding(rng) for _ in range(rng.randrange(3))],
    }
    if rng.random() < 0.8:
        start, end = sorted([_moment(rng), _moment(rng)])
        plan["period"] = {"start": start} | ({"end": end} if rng.random() < 0.6 else {})
    return plan


def _patient(number: int, rng: random.Random) -> Resource:
    name = {"family": rng.choice(FAMILIES), "given": rng.sample(["Ana", "José", "Jo"], rng.randrange(1, 3))}
    return {"resourceType": "Patient", "id": f"patient-{number}", "active": rng.random() < 0.5, "name": [name]}


def _observation(number: int, rng: random.Random) -> Resource:
    value = Decimal(rng.randrange(0, 200)) / 10
    return {
        "resourceType": "Observation",
        "id": f"observation-{number}",
        "status": "final",
        "code": _coding(rng),
        "effectiveDateTime": _moment(rng),
        "valueQuantity": {"value": value, "unit": "points", "system": "urn:units", "code": rng.choice(["pt", "mm"])},
    }


def _span(text: str) -> tuple[datetime, datetime]:
    """The naive reading of a FHIR date: first and last microsecond + 1."""
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        first = datetime.strptime(text + "-01Z", "%Y-%m-%d%z")
        return first, (first + timedelta(days=32)).replace(day=1)
    if len(text) == 10:
        first = datetime.strptime(text + "Z", "%Y-%m-%d%z")
        return first, first + timedelta(days=1)
    first = datetime.fromisoformat(text)
    return first, first + timedelta(seconds=1)


def _range(resource: Resource) -> tuple[datetime, datetime] | None:
    if "effectiveDateTime" in resource:
        return _span(resource["effectiveDateTime"])
    if "period" not in resource:
        return None
    period = resource["period"]
    end = _span(period["end"])[1] if "end" in period else datetime.max.replace(tzinfo=UTC)
    return _span(period["start"])[0], end


PREFIXES: dict[str, Callable[[Any, Any, Any, Any], bool]] = {
    "": lambda low, high, a, b: a <= low and high <= b,
    "ne": lambda low, high, a, b: not (a <= low and high <= b),
    "gt": lambda low, high, a, b: high > b,
    "ge": lambda low, high, a, b: high > a,
    "lt": lambda low, high, a, b: low < a,
    "le": lambda low, high, a, b: low < b,
    "sa": lambda low, high, a, b: low >= b,
    "eb": lambda low, high, a, b: high <= a,
}


def _date(rng: random.Random) -> tuple[str, Naive]:
    prefix, text = rng.choice(list(PREFIXES)), _moment(rng)
    a, b = _span(text)

    def naive(resource: Resource) -> bool:
        found = _range(resource)
        return found is not None and PREFIXES[prefix](*found, a, b)

    return f"date={prefix}{text}", naive


def _has(resource: Resource, element: str, wanted: Callable[[Resource], bool]) -> bool:
    concepts = resource.get(element, [])
    concepts = concepts if isinstance(concepts, list) else [concepts]
    return any(wanted(coding) for concept in concepts for coding in concept["coding"])


def _token(element: str, rng: random.Random) -> tuple[str, Naive]:
    system, code = rng.choice(CODES)
    form = rng.randrange(4 if system else 2)
    if form == 0:
        return f"{element}={code}", lambda r: _has(r, element, lambda c: c["code"] == code)
    if form == 1:
        return f"{element}=|{code}", lambda r: _has(r, element, lambda c: "system" not in c and c["code"] == code)
    if form == 2:
        return f"{element}={system}|", lambda r: _has(r, element, lambda c: c.get("system") == system)
    return (
        f"{element}:not={system}|{code}",
        lambda r: not _has(r, element, lambda c: c.get("system") == system and c["code"] == code),
    )


def _status(rng: random.Random) -> tuple[str, Naive]:
    wanted = rng.sample(STATUSES, rng.randrange(1, 3))
    return f"status={','.join(wanted)}", lambda r: r["status"] in wanted


def _subject(rng: random.Random) -> tuple[str, Naive]:
    patient = rng.choice(["p1", "p2", "p3"])
    text, reaches = rng.choice(
        [
            (f"patient={patient}", {f"Patient/{patient}"}),
            (f"patient=Patient/{patient}", {f"Patient/{patient}"}),
            (f"subject={patient}", {f"Patient/{patient}", f"Group/{patient}"}),
            (f"subject:Group={patient}", {f"Group/{patient}"}),
            (f"subject=http://test/fhir/Patient/{patient}", {f"Patient/{patient}"}),
        ]
    )
    return text, lambda r: r["subject"]["reference"].partition("/_history")[0] in reaches


def _missing(rng: random.Random) -> tuple[str, Naive]:
    element, name = rng.choice([("period", "date"), ("category", "category")])
    missing = rng.random() < 0.5
    return f"{name}:missing={str(missing).lower()}", lambda r: bool(r.get(element)) != missing


def _name(rng: random.Random) -> tuple[str, Naive]:
    def parts(resource: Resource) -> list[str]:
        return [resource["name"][0]["family"], *resource["name"][0]["given"]]

    def plain(text: str) -> str:
        return text.lower().replace("ü", "u").replace("é", "e")

    text = rng.choice(["mü", "mul", "JO", "jose", "o'b", "la", "Ng"])
    form = rng.choice(["", ":exact", ":contains"])
    if form == "":
        return f"name={text}", lambda r: any(plain(part).startswith(plain(text)) for part in parts(r))
    if form == ":contains":
        return f"name:contains={text}", lambda r: any(plain(text) in plain(part) for part in parts(r))
    return f"name:exact={text}", lambda r: text in parts(r)


def _active(rng: random.Random) -> tuple[str, Naive]:
    active = rng.random() < 0.5
    return f"active={str(active).lower()}", lambda r: r["active"] is active


def _value(rng: random.Random) -> tuple[str, Naive]:
    number = Decimal(rng.randrange(0, 200)) / 10
    prefix = rng.choice(["", "gt", "ge", "lt", "le", "ne"])
    unit, code = rng.choice([("", None), ("||points", None), ("|urn:units|mm", "mm"), ("||mm", "mm")])
    half = Decimal("0.05")
    tests: dict[str, Callable[[Decimal], bool]] = {
        "": lambda v: number - half <= v < number + half,
        "ne": lambda v: not number - half <= v < number + half,
        "gt": lambda v: v > number,
        "ge": lambda v: v >= number,
        "lt": lambda v: v < number,
        "le": lambda v: v <= number,
    }

    def naive(resource: Resource) -> bool:
        quantity = resource["valueQuantity"]
        return tests[prefix](quantity["value"]) and code in (None, quantity["code"])

    return f"value-quantity={prefix}{number:.1f}{unit}", naive


CRITERIA: dict[str, list[Callable[[random.Random], tuple[str, Naive]]]] = {
    "CarePlan": [_status, _subject, _date, _date, _missing, lambda rng: _token("category", rng)],
    "Patient": [_name, _active],
    "Observation": [_value, _value, _date, _date, lambda rng: _token("code", rng)],
}
MAKE = {"CarePlan": _plan, "Patient": _patient, "Observation": _observation}


@pytest.mark.parametrize(
    ("bound", "enough"),
    [(1_000, 20), (10, 3), (1, 0), (1, 10_000)],
    ids=["read and sort", "some of each", "walk", "intersect"],
)
async def test_sql_finds_what_a_naive_filter_finds(
    database_url: str, bound: int, enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "BOUND", bound)
    monkeypatch.setattr(statement, "ENOUGH", enough)
    statement._page.cache_clear()
    rng = random.Random(bound + enough)
    stored = [make(number, rng) for make in MAKE.values() for number in range(150)]
    rng.shuffle(stored)
    async with searchable(database_url) as pool:
        await store(pool, stored)
        for _ in range(400):
            type_ = rng.choice(list(CRITERIA))
            chosen = rng.sample(CRITERIA[type_], rng.randrange(1, len(CRITERIA[type_])))
            criteria = [make(rng) for make in chosen]
            query = f"{type_}?" + "&".join(text.replace("|", "%7C") for text, _ in criteria) + "&_count=1000"
            if rng.random() < 0.5:
                query += rng.choice(["&_sort=_lastUpdated", "&_sort=-_lastUpdated", "&_sort=_id"])
            expected = {r["id"] for r in stored if r["resourceType"] == type_ and all(c(r) for _, c in criteria)}
            found = await ids(pool, query, base="http://test/fhir")
            assert sorted(found) == sorted(expected), query
            total = await pages_of.find(pool, _counting(query))
            assert total.total == len(expected), query
    statement._page.cache_clear()


def _counting(query: str) -> Any:
    from urllib.parse import parse_qsl

    from shared.fhir.search.parse import parse

    type_, _, rest = query.partition("?")
    parameters = [*parse_qsl(rest), ("_summary", "count")]
    return parse(type_, parameters, base="http://test/fhir", now=datetime.now(UTC))


@pytest.mark.parametrize("bound", [1_000, 1], ids=["read and sort", "walk"])
@pytest.mark.parametrize(
    "sort", ["", "_lastUpdated", "-_lastUpdated", "date", "-date", "_id", "-date,_id", "date,-_lastUpdated"]
)
async def test_pages_make_up_the_whole_answer_in_order(
    database_url: str, sort: str, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "BOUND", bound)
    statement._page.cache_clear()
    rng = random.Random(7)
    stored = [_plan(number, rng) for number in range(60)]
    async with searchable(database_url) as pool:
        await store(pool, stored)
        for criteria in ("status=active", "status=active,draft", "", "patient=p1", "category:missing=false"):
            query = f"CarePlan?{criteria}&_count=1000" + (f"&_sort={sort}" if sort else "")
            whole = await ids(pool, query)
            joined = [id_ async for page in pages(pool, query.replace("1000", "7")) for id_ in page]
            assert joined == whole
            assert len(set(joined)) == len(joined)
            assert _in_order(sort, whole, {r["id"]: r for r in stored})
    statement._page.cache_clear()


def _in_order(sort: str, found: list[str], stored: dict[str, Resource]) -> bool:
    """Whether dates go the way that the first sort key says, those without a date last."""
    key = sort.split(",")[0]
    if not key.endswith("date"):
        return True
    lows = [_range(stored[id_]) for id_ in found]
    dated = [low[0] for low in lows if low is not None]
    return dated == sorted(dated, reverse=key.startswith("-")) and None not in lows[: len(dated)]
