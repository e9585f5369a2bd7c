"""What takes too long is not stored: whoever pages or exports counts on it that nothing so old still comes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Unavailable
from shared.fhir.search.snapshot import LONGEST_WRITE
from shared.security.caller import internal
from shared.unit_of_work import LONGEST_WORK, unit_of_work
from tests.factories.engine import create_tables, every_type, running_engine
from tests.factories.resources import patient

ME = internal("test")


@pytest.mark.parametrize("took", [LONGEST_WORK, LONGEST_WORK + timedelta(seconds=1)])
async def test_work_is_committed_within_its_time(database_url: str, took: timedelta) -> None:
    await create_tables(database_url)
    async with running_engine(database_url, every_type()) as engine:
        began, late = engine.clock(), took > LONGEST_WORK
        moments = iter([began])
        slow = replace(engine, clock=lambda: next(moments, began + took))
        async with unit_of_work(slow, ME) as work:
            await work.update(patient(id="p"))
            if late:
                with pytest.raises(Unavailable):
                    await work.commit()
            else:
                await work.commit()
        async with unit_of_work(engine, ME) as work:
            assert (await work.load("Patient", "p") is None) is late


def test_there_is_time_left_to_decide_on_what_is_prepared() -> None:
    assert LONGEST_WORK * 2 <= LONGEST_WRITE
