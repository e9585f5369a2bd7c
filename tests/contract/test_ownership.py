"""Services do not import each other, and yet every R4 type has one owner, and the edge knows which. Provenance
lives beside what it speaks of."""

from services.careplans.kinds import KINDS as CAREPLANS
from services.gateway.routing import owner_of
from services.notifications.kinds import KINDS as NOTIFICATIONS
from services.referrals.kinds import KINDS as REFERRALS
from shared.engine import SPREAD
from shared.fhir.definitions import RESOURCE_TYPES

SERVICES = {"careplans": CAREPLANS, "notifications": NOTIFICATIONS, "referrals": REFERRALS}


def test_every_type_with_an_endpoint_has_exactly_one_owner() -> None:
    owned = [kind.type for registry in SERVICES.values() for kind in registry]
    assert sorted(owned) == sorted([*RESOURCE_TYPES - {"Parameters"}, "Provenance", "Provenance"])


def test_the_edge_forwards_each_type_to_its_owner() -> None:
    for service, registry in SERVICES.items():
        assert {owner_of(kind.type) for kind in registry if kind.type not in SPREAD} == {service}


def test_what_lives_beside_its_target_is_everywhere() -> None:
    for registry in SERVICES.values():
        assert {kind.type for kind in registry} >= SPREAD
