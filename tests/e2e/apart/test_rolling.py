"""Every process replaced under load: no request fails, no event is lost or has two effects."""

import pytest

from tests.e2e.apart.load import Load
from tests.e2e.apart.size import PER_SECOND
from tests.e2e.evidence import Evidence
from tests.eventually import eventually
from tests.factories.apart import Apart, in_time

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(600)]


async def test_a_rolling_restart_under_load_fails_no_request_and_doubles_no_effect(
    installation: Apart, patients: list[str], evidence: Evidence
) -> None:
    before = {child.running.pid for child in installation.all}
    async with Load(installation, patients, per_second=PER_SECOND).running() as load:
        await eventually(load.flows, within=30)
        # one kind after the other, as an operator does it
        took = [await installation.roll(*kind) for kind in list(installation.children)]
    assert not before & {child.running.pid for child in installation.all}
    refused = {name: balancer.refused for name, balancer in installation.balancers.items()}
    assert not load.failures, (load.told(), refused)
    assert in_time(max(seconds for kind in took for seconds in kind))
    await eventually(lambda: evidence.settled(load.sent), within=120, every=0.5)
    print(load.told())
