"""Whatever arrives, a check accepts it or refuses it in the project's own words."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConsiliumError
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import dumps, loads
from shared.fhir.validate import check
from tests.unit.shared.fhir.validate.examples import ABSENT, EXAMPLES, changed
from tests.unit.shared.fhir.validate.instances import minimal

CANARY = "Canary-Q7x"


def paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Every member and item of ``value``."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in pairs:
        yield f"{prefix}{step}"
        yield from paths(child, f"{prefix}{step}.")


PLACES = [(resource, path) for resource in EXAMPLES for path in paths(resource)]
SCALARS = st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text()
NAMES = st.sampled_from(
    ["id", "extension", "url", "valueString", "reference", "resourceType", "_status", "value", "coding"]
)
ANY_JSON = st.recursive(
    SCALARS | st.sampled_from(["#", "#x", "Patient/1", "2024", "active", CANARY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def checked(resource: Any) -> None:
    """Raises whatever is not one of our errors, and where an error repeats what was sent."""
    try:
        check(resource)
    except ConsiliumError as error:
        assert all(CANARY not in f"{issue.text} {issue.expression}" for issue in error.issues)  # noqa: PT017  # not all raise


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), ANY_JSON)
def test_replacing_anything_by_anything_is_never_a_crash(place: tuple[dict[str, Any], str], value: Any) -> None:
    resource, path = place
    checked(changed(resource, path, value))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from([CANARY, {CANARY: CANARY}, [CANARY], {"reference": CANARY}]))
def test_no_finding_repeats_what_was_sent(place: tuple[dict[str, Any], str], value: Any) -> None:
    resource, path = place
    checked(changed(resource, path, value))
    if isinstance(value, dict):
        checked({**resource, **value})


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES))
def test_removing_anything_is_never_a_crash(place: tuple[dict[str, Any], str]) -> None:
    checked(changed(*place, ABSENT))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(RESOURCE_TYPES)), st.dictionaries(NAMES, ANY_JSON, max_size=4))
def test_adding_anything_to_any_type_is_never_a_crash(type_: str, members: dict[str, Any]) -> None:
    checked(minimal(type_) | members)


@given(st.sampled_from(EXAMPLES))
def test_what_is_accepted_survives_the_wire(resource: dict[str, Any]) -> None:
    check(loads(dumps(resource)))
