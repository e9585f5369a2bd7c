"""Copies between processes: read over HTTP with the services' own tokens, also what changed while nobody listened."""

import pytest

from shared.security.peers import PeerTokens
from tests.e2e.evidence import Evidence
from tests.eventually import eventually
from tests.factories.apart import Apart
from tests.factories.resources import patient
from tests.factories.system import EHR

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(240)]


async def test_copies_catch_up_after_their_keeper_was_away(
    installation: Apart, patients: list[str], evidence: Evidence
) -> None:
    await eventually(evidence.copied, within=60)
    for child in list(installation.children["referrals", "worker"]):
        await installation.lose(child)
    client = installation.by(EHR)
    type_, _, id_ = patients[0].partition("/")
    changed = await client.put(f"/fhir/{patients[0]}", json=patient(id=id_, active=False))
    assert (type_, changed.status_code) == ("Patient", 200)
    await client.put("/fhir/Patient/meanwhile", json=patient(id="meanwhile"))
    with pytest.raises(AssertionError):
        await evidence.copied()
    await installation.come_up([installation.spawn("referrals", "worker")])
    await eventually(evidence.copied, within=60)
    assert (await client.delete("/fhir/Patient/meanwhile")).status_code == 204
    await eventually(evidence.copied, within=60)


async def test_a_stranger_is_no_peer(installation: Apart) -> None:
    """What services sign with their own secret counts as theirs alone."""
    client = installation.by(EHR)
    forged = PeerTokens("careplans", "another secret of thirty-two bytes at least").header()
    assert (await client.get("/fhir/Patient", headers={"Authorization": forged})).status_code == 401
