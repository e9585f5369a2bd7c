"""What docs/releasing.md and the upgrade guide promise of the code as it is."""

from pathlib import Path

import msgspec
import pytest
from pydantic import BaseModel

from shared.contracts.careplans import CarePlanEvent, CarePlanV1
from shared.contracts.notifications import NotificationEvent, NotificationV1
from shared.contracts.referrals import ReferralEvent, ReferralV1
from shared.messaging.envelope import decode
from tools.release.readiness import GUIDE
from tools.release.versions import own_version

PROJECT = Path(__file__).parents[4]
PAYLOADS = {
    ReferralV1: {"task": "Task/1", "version": 1, "status": "requested", "occurred_at": "2026-01-02T03:04:05Z"},
    CarePlanV1: {"care_plan": "CarePlan/1", "version": 1, "occurred_at": "2026-01-02T03:04:05Z"},
    NotificationV1: {
        "communication": "Communication/1",
        "recipient": "Practitioner/1",
        "channel": "email",
        "attempts": 1,
        "caused_by": "1",
        "occurred_at": "2026-01-02T03:04:05Z",
    },
}


@pytest.mark.parametrize("contract", PAYLOADS, ids=lambda contract: contract.__name__)
def test_an_event_of_a_newer_release_with_more_in_it_is_read(contract: type[BaseModel]) -> None:
    envelope = {
        "id": "1",
        "source": "/consilium/x",
        "type": "x.y.v1",
        "subject": "X/1",
        "time": "2026-01-02T03:04:05Z",
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "added-later": "new",
        "data": {**PAYLOADS[contract], "added_later": {"new": True}},
    }
    payload = decode(msgspec.json.encode(envelope)).payload(contract)
    assert payload.model_dump(mode="json", exclude_defaults=True) == PAYLOADS[contract]


def test_every_event_type_says_the_version_of_its_contract() -> None:
    types = [*ReferralEvent, *CarePlanEvent, *NotificationEvent]
    assert [type_ for type_ in types if not type_.endswith(".v1")] == []


def test_the_upgrade_guide_has_a_row_for_this_version() -> None:
    assert f"\n| {own_version(PROJECT)} |" in (PROJECT / GUIDE).read_text()
