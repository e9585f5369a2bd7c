"""JSON Patch on FHIR JSON (https://www.rfc-editor.org/rfc/rfc6902)."""

import contextlib
import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConsiliumError, Invalid, TooLarge, Unprocessable
from shared.fhir.json import dumps, loads
from shared.fhir.patch import json_patched
from shared.fhir.patch.json_patch import MOST_OPERATIONS

ROBIN = {
    "resourceType": "Patient",
    "id": "robin",
    "name": [{"family": "Nightingale", "given": ["Robin", "Ada"]}],
    "maritalStatus": {"text": "married"},
    "active": True,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

PATHS = [
    *("", "/", "/name", "/name/0", "/name/-", "/name/0/given/0", "/id", "/id/0", "/name/0/given", "/name/0/given/0/0"),
    *("/name/0/_given/0", "/name/٠", "/name/" + "1" * 5_000, "/maritalStatus/0", "/maritalStatus/text/-"),
]


@pytest.mark.parametrize(
    ("operations", "change"),
    [
        ([{"op": "add", "path": "/gender", "value": "female"}], {"gender": "female"}),
        ([{"op": "replace", "path": "/active", "value": False}], {"active": False}),
        (
            [{"op": "add", "path": "/name/0/given/-", "value": "C"}],
            {"name": [{"family": "Nightingale", "given": ["Robin", "Ada", "C"]}]},
        ),
        ([{"op": "remove", "path": "/name/0/given/0"}], {"name": [{"family": "Nightingale", "given": ["Ada"]}]}),
        (
            [{"op": "move", "from": "/name/0/given/1", "path": "/name/0/given/0"}],
            {"name": [{"family": "Nightingale", "given": ["Ada", "Robin"]}]},
        ),
        ([{"op": "copy", "from": "/maritalStatus", "path": "/contact"}], {"contact": {"text": "married"}}),
        ([{"op": "test", "path": "/active", "value": True}], {}),
        (
            [{"op": "add", "path": "/a~1b", "value": 1}, {"op": "add", "path": "/c~0d", "value": 2}],
            {"a/b": 1, "c~d": 2},
        ),
        (
            [{"op": "add", "path": "/x", "value": [], "note": "ignored"}, {"op": "add", "path": "/x/-", "value": 1}],
            {"x": [1]},
        ),
        ([], {}),
    ],
)
def test_operations(operations: list[Any], change: dict[str, Any]) -> None:
    assert json_patched(copy.deepcopy(ROBIN), operations) == ROBIN | change


@pytest.mark.parametrize(
    ("path", "gone"), [("/maritalStatus/text", "maritalStatus"), ("/name/0", "name"), ("/active", "active")]
)
def test_what_a_removal_leaves_empty_is_left_out(path: str, gone: str) -> None:
    """http://hl7.org/fhir/R4/json.html: arrays and objects are never empty."""
    found = json_patched(copy.deepcopy(ROBIN), [{"op": "remove", "path": path}])
    assert found == {name: value for name, value in ROBIN.items() if name != gone}


@pytest.mark.parametrize(
    "patch",
    [
        *({}, "text", None, [1], ["x"], [{}], [{"op": "add"}], [{"op": ["add"], "path": "/a"}]),
        [{"op": "append", "path": "/id", "value": "x"}],
        [{"op": "ADD", "path": "/id", "value": "x"}],
        [{"op": "add", "path": "/gender"}],
        [{"op": "replace", "path": "/active"}],
        [{"op": "test", "path": "/active"}],
        [{"op": "copy", "path": "/active"}],
        [{"op": "move", "path": "/active", "from": 5}],
        [{"op": "add", "path": "gender", "value": "x"}],
        [{"op": "add", "path": "/a~2", "value": "x"}],
        [{"op": "add", "path": "/a~", "value": "x"}],
        [{"op": "add", "path": None, "value": "x"}],
        [{"op": "add", "path": ["gender"], "value": "x"}],
    ],
)
def test_what_is_no_json_patch_is_invalid(patch: Any) -> None:
    with pytest.raises(Invalid):
        json_patched(copy.deepcopy(ROBIN), patch)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/gender"},
        {"op": "replace", "path": "/gender", "value": "x"},
        {"op": "add", "path": "/telecom/-", "value": {}},
        {"op": "add", "path": "/telecom/0", "value": {}},
        {"op": "add", "path": "/name/7", "value": {}},
        {"op": "add", "path": "/name/01", "value": {}},
        {"op": "add", "path": "/name/x", "value": {}},
        {"op": "add", "path": "/name/-1", "value": {}},
        {"op": "remove", "path": "/name/٠"},
        {"op": "remove", "path": "/name/" + "1" * 5_000},
        {"op": "add", "path": "/id/x", "value": 1},
        {"op": "remove", "path": "/name/-"},
        {"op": "move", "from": "/name", "path": "/name/0/given/0"},
        {"op": "copy", "from": "/name/-", "path": "/x"},
        {"op": "copy", "from": "/gender", "path": "/x"},
        {"op": "test", "path": "/active", "value": 1},
        {"op": "test", "path": "/active", "value": "true"},
        {"op": "test", "path": "/gender", "value": None},
        {"op": "test", "path": "/name/0/given", "value": ["Ada", "Robin"]},
    ],
)
def test_what_does_not_fit_the_resource_is_unprocessable_and_not_repeated(operation: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable) as caught:
        json_patched(copy.deepcopy(ROBIN), [operation])
    assert "Nightingale" not in str(caught.value)
    assert "Robin" not in str(caught.value)


def test_decimals_keep_their_digits() -> None:
    """http://hl7.org/fhir/R4/json.html#decimal"""
    observation = loads(b'{"valueQuantity":{"value":1.10}}')
    patch = loads(b'[{"op":"add","path":"/x","value":6.30},{"op":"copy","from":"/valueQuantity/value","path":"/y"}]')
    assert dumps(json_patched(observation, patch)) == b'{"valueQuantity":{"value":1.10},"x":6.30,"y":1.10}'


def test_numbers_are_equal_by_their_value() -> None:
    """https://www.rfc-editor.org/rfc/rfc6902#section-4.6"""
    json_patched({"x": Decimal("1.10")}, [{"op": "test", "path": "/x", "value": Decimal("1.1")}])


def test_copies_of_copies_end_soon() -> None:
    doubling = [{"op": "copy", "from": "", "path": f"/x{number}"} for number in range(60)]
    with pytest.raises(TooLarge):
        json_patched(copy.deepcopy(ROBIN), doubling)


def test_too_many_operations_are_refused() -> None:
    with pytest.raises(TooLarge):
        json_patched({}, [{"op": "add", "path": "/x", "value": 1}] * (MOST_OPERATIONS + 1))


def test_nesting_that_the_interpreter_cannot_follow_is_refused() -> None:
    value: Any = 1
    for _ in range(900):
        value = [value]
    patch: list[dict[str, Any]] = [
        {"op": "add", "path": "/x", "value": value},
        {"op": "copy", "from": "/x", "path": "/y"},
    ]
    with pytest.raises(ConsiliumError):
        json_patched({}, patch)


@given(JSON)
def test_add_then_remove_changes_nothing(value: Any) -> None:
    patch = [{"op": "add", "path": "/x", "value": value}, {"op": "remove", "path": "/x"}]
    assert json_patched(copy.deepcopy(ROBIN), patch) == ROBIN


@given(st.lists(st.text(), min_size=1), st.data())
def test_insert_then_remove_in_a_list_changes_nothing(items: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(items)))
    patch = [{"op": "add", "path": f"/x/{at}", "value": "new"}, {"op": "remove", "path": f"/x/{at}"}]
    assert json_patched({"x": list(items)}, patch) == {"x": items}


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "op": JSON | st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
                "path": JSON | st.sampled_from(PATHS),
                "from": JSON | st.sampled_from(PATHS),
                "value": JSON
                | st.sampled_from([[None], {"0": 1}, {"given": {"0": 5}}, [{"given": 5, "_given": [None]}]]),
            },
        ),
        max_size=4,
    )
)
def test_whatever_comes_is_applied_or_refused(patch: list[Any]) -> None:
    with contextlib.suppress(ConsiliumError):
        json_patched(copy.deepcopy(ROBIN), patch)
