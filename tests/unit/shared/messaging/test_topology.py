"""Routing keys match as AMQP says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.topology import Queue, matches

words = st.sampled_from(["referral", "accepted", "no-show", "v1", ""])
patterns = st.lists(st.sampled_from(["referral", "accepted", "v1", "*", "#"]), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("key", "event_type", "expected"),
    [
        ("referral.#", "referral.accepted.v1", True),
        ("referral.#", "referral", True),
        ("referral.*", "referral.accepted.v1", False),
        ("referral.*.v1", "referral.no-show.v1", True),
        ("#", "anything.at.all", True),
        ("#.v1", "v1", True),
        ("referral.#.v1", "referral.v1", True),
        ("referral.#", "referrals.accepted", False),
        ("careplan.+", "careplan.x", False),
    ],
)
def test_a_routing_key_matches(key: str, event_type: str, expected: bool) -> None:
    assert matches([key], event_type) is expected


@given(patterns, st.lists(words, min_size=1, max_size=6))
def test_the_pattern_agrees_with_the_definition(key: list[str], event_type: list[str]) -> None:
    assert matches([".".join(key)], ".".join(event_type)) is defined(key, event_type)


@given(st.lists(patterns, min_size=1, max_size=3), st.lists(words, min_size=1, max_size=4))
def test_a_queue_hears_what_any_of_its_keys_matches(keys: list[list[str]], event_type: list[str]) -> None:
    whole = matches([".".join(key) for key in keys], ".".join(event_type))
    assert whole is any(defined(key, event_type) for key in keys)


def test_a_queue_names_its_retries_and_its_dead() -> None:
    queue = Queue("careplans.referrals", ("referral.#",))
    assert (queue.retry(2), queue.dead) == ("careplans.referrals.retry.2", "careplans.referrals.dead")


def defined(key: list[str], event_type: list[str]) -> bool:
    """The definition: ``*`` is one word, ``#`` none or more."""
    if not key:
        return not event_type
    if key[0] == "#":
        return any(defined(key[1:], event_type[skipped:]) for skipped in range(len(event_type) + 1))
    return bool(event_type) and key[0] in ("*", event_type[0]) and defined(key[1:], event_type[1:])
