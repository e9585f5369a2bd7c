"""One moment, and from one moment to the next (http://hl7.org/fhir/uv/bulkdata/STU2/export.html, transactionTime)."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.engine import Engine
from shared.fhir.bulk import selecting
from shared.unit_of_work import unit_of_work
from tests.factories.bulk import exported, fetched, kicked_off, worked
from tests.factories.engine import CALLER
from tests.factories.resources import patient


async def put(fhir: httpx.AsyncClient, id_: str, **more: Any) -> None:
    """A patient, new or changed."""
    assert (await fhir.put(f"Patient/{id_}", json=patient(id=id_) | more)).status_code in (200, 201)


async def test_everything_is_as_it_was_at_the_kick_off(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """What is changed, deleted or made while the job waits and works is not in it."""
    for id_ in ("kept", "changed", "deleted", "revived"):
        await put(fhir, id_, gender="female")
    await fhir.delete("Patient/revived")
    status = await kicked_off(fhir)
    await put(fhir, "changed", gender="male")
    await put(fhir, "changed", gender="other")
    await fhir.delete("Patient/deleted")
    await put(fhir, "revived")
    await put(fhir, "new")
    await worked(engine)
    found = await fetched(fhir, status)
    assert found.names == ["Patient/changed", "Patient/deleted", "Patient/kept"]
    assert {line["gender"] for line in found.lines} == {"female"}


async def test_only_what_changed_since(fhir: httpx.AsyncClient, engine: Engine) -> None:
    for id_ in ("kept", "changed", "deleted"):
        await put(fhir, id_)
    first = await exported(fhir, engine)
    assert first.deleted == []
    await put(fhir, "changed", gender="male")
    await put(fhir, "new")
    await fhir.delete("Patient/deleted")
    second = await exported(fhir, engine, params={"_since": first.manifest["transactionTime"]})
    assert second.names == ["Patient/changed", "Patient/new"]
    assert second.deleted == ["Patient/deleted"]
    assert second.manifest["deleted"][0]["type"] == "Bundle"
    third = await exported(fhir, engine, params={"_since": second.manifest["transactionTime"]})
    assert (third.names, third.deleted) == ([], [])


async def test_any_other_instant_is_compared_with_last_updated(fhir: httpx.AsyncClient, engine: Engine) -> None:
    await put(fhir, "one")
    later = datetime.fromisoformat((await fhir.get("Patient/one")).json()["meta"]["lastUpdated"])
    for since, names in ((later - timedelta(seconds=1), ["Patient/one"]), (later + timedelta(seconds=1), [])):
        found = await exported(fhir, engine, params={"_since": since.isoformat()})
        assert found.names == names


async def test_a_write_that_was_under_way_is_in_the_next_export(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """Its lastUpdated is before the first transactionTime; it is committed after the first has looked."""
    await put(fhir, "early")
    async with unit_of_work(engine, CALLER) as work:
        await work.update(patient(id="early", gender="male"))
        await work.update(patient(id="late"))
        await work.flush()
        first = await exported(fhir, engine)
        await work.commit()
    assert first.names == ["Patient/early"]
    assert first.lines[0]["gender"] == "female"
    assert (await fhir.get("Patient/late")).json()["meta"]["lastUpdated"] <= first.manifest["transactionTime"]
    second = await exported(fhir, engine, params={"_since": first.manifest["transactionTime"]})
    assert second.names == ["Patient/early", "Patient/late"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["put", "delete", "begin"]), st.integers(0, 5)),
        st.sampled_from([("export", 0), ("commit", 0)]),
    ),
    max_size=25,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_chain_of_exports_is_the_state(
    fhir: httpx.AsyncClient, engine: Engine, steps: list[tuple[str, int]]
) -> None:
    """Each export since the one before, put upon each other, are what is there: whatever happens in between, also in
    transactions that are open while an export looks."""
    await engine.pool.execute("TRUNCATE resource, resource_history, index_term, index_date, index_string, bulk_job")
    copy: dict[str, dict[str, Any]] = {}
    since: dict[str, str] = {}
    open_: list[Any] = []

    async def chain() -> None:
        found = await exported(fhir, engine, params=since)
        for line in found.lines:
            copy[f"Patient/{line['id']}"] = line
        for name in found.deleted:
            copy.pop(name, None)
        since["_since"] = found.manifest["transactionTime"]

    busy: set[int] = set()
    for number, (what, which) in enumerate([*steps, ("commit", 0), ("export", 0)]):
        match what:
            case "put" if which not in busy:
                await put(fhir, str(which), birthDate=f"19{number + 10}-01-01")
            case "delete" if which not in busy:
                await fhir.delete(f"Patient/{which}")
            case "begin" if which not in busy:
                work = unit_of_work(engine, CALLER)
                held = await work.__aenter__()
                await held.update(patient(id=str(which), birthDate=f"19{number + 10}-02-02"))
                await held.flush()
                busy.add(which)
                open_.append((work, held))
            case "commit":
                for work, held in open_:
                    await held.commit()
                    await work.__aexit__(None, None, None)
                open_.clear()
                busy.clear()
            case "export":
                await chain()
    there = {
        f"Patient/{entry['resource']['id']}": entry["resource"]
        for entry in (await fhir.get("Patient?_count=100")).json().get("entry", [])
    }
    assert copy == there


async def test_changes_between_two_pages_do_not_show(fhir: httpx.AsyncClient, engine: Engine, monkeypatch: Any) -> None:
    """Pages of two rows, and somebody who writes between them."""
    monkeypatch.setattr(selecting, "PAGE", 2)
    monkeypatch.setattr(selecting, "LISTED", 3)
    for number in range(9):
        await put(fhir, f"p{number}", gender="female")
    status = await kicked_off(fhir)
    reading = selecting.page

    async def disturbed(*arguments: Any) -> selecting.Page:
        page = await reading(*arguments)
        await asyncio.gather(*(put(fhir, f"p{number}", gender="male") for number in range(9)))
        return page

    monkeypatch.setattr(selecting, "page", disturbed)
    await worked(engine)
    found = await fetched(fhir, status)
    assert found.names == sorted(f"Patient/p{number}" for number in range(9))
    assert {line["gender"] for line in found.lines} == {"female"}
