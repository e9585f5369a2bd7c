"""Who owns what."""

import pytest

from services.gateway.routing import OWNED_TYPES, owner_of, type_in


@pytest.mark.parametrize(
    ("type_", "owner"),
    [
        ("Task", "referrals"),
        ("Practitioner", "referrals"),
        ("Communication", "notifications"),
        ("CarePlan", "careplans"),
        ("Observation", "careplans"),
        ("Banana", None),
        ("task", None),
        ("", None),
    ],
)
def test_a_type_has_one_owner(type_: str, owner: str | None) -> None:
    assert owner_of(type_) == owner


def test_every_r4_type_is_owned_once() -> None:
    types = [type_ for owned in OWNED_TYPES.values() for type_ in owned]
    assert len(types) == len(set(types)) == 146


@pytest.mark.parametrize("url", ["Task", "Task/1", "/Task/1/_history/2", "Task?code=x", "Task#"])
def test_a_url_names_its_type(url: str) -> None:
    assert type_in(url) == "Task"
