"""Services do not import each other, and yet what one copies, another tells."""

from consilium.assembly import SERVICES
from services.gateway.routing import owner_of
from shared.contracts.records import record_event
from shared.worker import queue_of

BY_NAME = {service.name: service for service in SERVICES}


def test_what_is_copied_belongs_to_the_service_that_is_named() -> None:
    for service in SERVICES:
        for type_, owner in service.copied.items():
            assert owner_of(type_) == owner != service.name


def test_each_service_tells_exactly_what_others_copy() -> None:
    for name, service in BY_NAME.items():
        wanted = {type_ for other in SERVICES for type_, owner in other.copied.items() if owner == name}
        assert service.tells == wanted


def test_each_service_hears_the_owners_of_what_it_copies() -> None:
    for service in SERVICES:
        queues = {queue.name: set(queue.routing_keys) for queue in map(queue_of, service.bindings)}
        assert queues[f"{service.name}.copies"] == {record_event(owner) for owner in service.copied.values()}
