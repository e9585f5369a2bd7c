"""FHIRPath Patch (http://hl7.org/fhir/R4/fhirpatch.html)."""

import contextlib
import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ConsiliumError, Invalid, TooLarge, Unprocessable
from shared.fhir.definitions import naming
from shared.fhir.json import dumps, loads
from shared.fhir.patch import fhirpath_patch, fhirpath_patched, nodes
from shared.fhir.patch.nodes import Node
from shared.fhir.patch.parts import MOST_OPERATIONS, MOST_PATHS
from shared.fhir.patch.select import MOST_LOOKED_AT
from tests.factories.patches import operation, parameters

Resource = dict[str, Any]
BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
FAMILY = {"url": "urn:prefix", "valueString": "du"}


def four(*numbers: int) -> list[Resource]:
    """Identifiers with these values."""
    return [{"system": "http://example.org", "value": f"value {number}"} for number in numbers]


def patched(before: Resource, *operations: Resource) -> Resource:
    """A Patient with ``before``, after the operations; without its type."""
    after = fhirpath_patched({"resourceType": "Patient", **copy.deepcopy(before)}, parameters(*operations))
    return {name: value for name, value in after.items() if name != "resourceType"}


@pytest.mark.parametrize(
    ("before", "done", "after"),
    [
        # one operation on a primitive
        (
            {"birthDate": "1920-01-01"},
            operation("replace", "Patient.birthDate", value={"valueDate": "1930-01-01"}),
            {"birthDate": "1930-01-01"},
        ),
        ({"birthDate": "1920-01-01"}, operation("delete", "Patient.birthDate"), {}),
        ({}, operation("delete", "Patient.birthDate"), {}),
        (
            {},
            operation("add", "Patient", name="birthDate", value={"valueDate": "1930-01-01"}),
            {"birthDate": "1930-01-01"},
        ),
        (
            {"birthDate": "1920-01-01"},
            operation("replace", "birthDate", value={"valueDate": "1930-01-01"}),
            {"birthDate": "1930-01-01"},
        ),
        # nested
        (
            {"contact": [{"name": {"text": "a"}, "gender": "male"}]},
            operation("replace", "Patient.contact[0].gender", value={"valueCode": "female"}),
            {"contact": [{"name": {"text": "a"}, "gender": "female"}]},
        ),
        (
            {"contact": [{"name": {"text": "a"}, "gender": "male"}]},
            operation("delete", "Patient.contact[0].name.text"),
            {"contact": [{"gender": "male"}]},
        ),
        ({"contact": [{"name": {"text": "a"}}]}, operation("delete", "Patient.contact[0].name.text"), {}),
        ({"contact": [{"name": {"text": "a"}}]}, operation("delete", "Patient.contact[0]"), {}),
        (
            {"contact": [{"name": {"text": "a"}}]},
            operation("add", "Patient.contact[0]", name="gender", value={"valueCode": "male"}),
            {"contact": [{"name": {"text": "a"}, "gender": "male"}]},
        ),
        # complex, anonymous
        (
            {},
            operation("add", "Patient", name="maritalStatus", value={"valueCodeableConcept": {"text": "m"}}),
            {"maritalStatus": {"text": "m"}},
        ),
        (
            {"maritalStatus": {"id": "1", "text": "m"}},
            operation("replace", "Patient.maritalStatus", value={"valueCodeableConcept": {"text": "n"}}),
            {"maritalStatus": {"text": "n"}},
        ),
        (
            {},
            operation(
                "add",
                "Patient",
                name="contact",
                value={
                    "part": [{"name": "name", "valueHumanName": {"text": "a"}}, {"name": "gender", "valueCode": "male"}]
                },
            ),
            {"contact": [{"name": {"text": "a"}, "gender": "male"}]},
        ),
        (
            {},
            operation(
                "add",
                "Patient",
                name="contact",
                value={
                    "part": [
                        {"name": "telecom", "valueContactPoint": {"value": "1"}},
                        {"name": "telecom", "valueContactPoint": {"value": "2"}},
                    ]
                },
            ),
            {"contact": [{"telecom": [{"value": "1"}, {"value": "2"}]}]},
        ),
        # lists
        (
            {},
            operation("add", "Patient", name="identifier", value={"valueIdentifier": {"value": "1"}}),
            {"identifier": [{"value": "1"}]},
        ),
        (
            {"identifier": four(1)},
            operation("add", "Patient", name="identifier", value={"valueIdentifier": four(2)[0]}),
            {"identifier": four(1, 2)},
        ),
        (
            {"identifier": four(1, 2)},
            operation("insert", "Patient.identifier", index=2, value={"valueIdentifier": four(3)[0]}),
            {"identifier": four(1, 2, 3)},
        ),
        (
            {"identifier": four(1, 2)},
            operation("insert", "Patient.identifier", index=0, value={"valueIdentifier": four(3)[0]}),
            {"identifier": four(3, 1, 2)},
        ),
        (
            {},
            operation("insert", "Patient.identifier", index=0, value={"valueIdentifier": four(3)[0]}),
            {"identifier": four(3)},
        ),
        ({"identifier": four(1, 2, 3)}, operation("delete", "Patient.identifier[1]"), {"identifier": four(1, 3)}),
        (
            {"identifier": four(1, 2, 3)},
            operation("delete", "Patient.identifier.where(value = 'value 2')"),
            {"identifier": four(1, 3)},
        ),
        (
            {"identifier": four(1, 2, 3, 4)},
            operation("move", "Patient.identifier", source=3, destination=1),
            {"identifier": four(1, 4, 2, 3)},
        ),
        (
            {"identifier": four(1, 2, 3, 4)},
            operation("move", "Patient.identifier", source=3, destination=0),
            {"identifier": four(4, 1, 2, 3)},
        ),
        (
            {"identifier": four(1, 2, 3, 4)},
            operation("move", "Patient.identifier", source=0, destination=3),
            {"identifier": four(2, 3, 4, 1)},
        ),
        # choices
        ({}, operation("add", "Patient", name="deceased", value={"valueBoolean": False}), {"deceasedBoolean": False}),
        ({}, operation("add", "Patient", name="deceased[x]", value={"valueBoolean": True}), {"deceasedBoolean": True}),
        (
            {},
            operation("add", "Patient", name="deceasedBoolean", value={"valueBoolean": True}),
            {"deceasedBoolean": True},
        ),
        (
            {"deceasedBoolean": True},
            operation("replace", "Patient.deceased", value={"valueDateTime": "2026"}),
            {"deceasedDateTime": "2026"},
        ),
        ({"deceasedBoolean": True}, operation("delete", "Patient.deceased"), {}),
        (
            {"deceasedBoolean": True},
            operation("replace", "Patient.deceased.ofType(boolean)", value={"valueBoolean": False}),
            {"deceasedBoolean": False},
        ),
        ({"deceasedBoolean": True}, operation("delete", "Patient.deceased.as(dateTime)"), {"deceasedBoolean": True}),
        # what stands beside primitives
        (
            {"birthDate": "1920"},
            operation(
                "add",
                "Patient.birthDate",
                name="extension",
                value={"valueExtension": {"url": BIRTH_TIME, "valueDateTime": "1920-01-01T01:00:00Z"}},
            ),
            {
                "birthDate": "1920",
                "_birthDate": {"extension": [{"url": BIRTH_TIME, "valueDateTime": "1920-01-01T01:00:00Z"}]},
            },
        ),
        (
            {"birthDate": "1920", "_birthDate": {"extension": [{"url": BIRTH_TIME, "valueDateTime": "1"}]}},
            operation("replace", f"Patient.birthDate.extension('{BIRTH_TIME}').value", value={"valueDateTime": "2"}),
            {"birthDate": "1920", "_birthDate": {"extension": [{"url": BIRTH_TIME, "valueDateTime": "2"}]}},
        ),
        (
            {"birthDate": "1920", "_birthDate": {"extension": [{"url": BIRTH_TIME, "valueDateTime": "1"}]}},
            operation("delete", f"Patient.birthDate.extension('{BIRTH_TIME}')"),
            {"birthDate": "1920"},
        ),
        (
            {"_birthDate": {"extension": [{"url": BIRTH_TIME, "valueDateTime": "1"}]}},
            operation("delete", f"Patient.birthDate.extension('{BIRTH_TIME}')"),
            {},
        ),
        (
            {"birthDate": "1920", "_birthDate": {"extension": [FAMILY]}},
            operation("replace", "Patient.birthDate", value={"valueDate": "1930"}),
            {"birthDate": "1930"},
        ),
        ({"birthDate": "1920", "_birthDate": {"extension": [FAMILY]}}, operation("delete", "Patient.birthDate"), {}),
        (
            {},
            operation("add", "Patient", name="birthDate", value={"_valueDate": {"extension": [FAMILY]}}),
            {"_birthDate": {"extension": [FAMILY]}},
        ),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]},
            operation("move", "Patient.name[0].given", source=1, destination=0),
            {"name": [{"given": ["b", "a"], "_given": [{"id": "x"}, None]}]},
        ),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]},
            operation("delete", "Patient.name[0].given[1]"),
            {"name": [{"given": ["a"]}]},
        ),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]},
            operation("insert", "Patient.name[0].given", index=0, value={"valueString": "c"}),
            {"name": [{"given": ["c", "a", "b"], "_given": [None, None, {"id": "x"}]}]},
        ),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]},
            operation("replace", "Patient.name[0].given[1]", value={"valueString": "c"}),
            {"name": [{"given": ["a", "c"]}]},
        ),
        (
            {"name": [{"given": ["a", "b"]}]},
            operation("add", "Patient.name.given[1]", name="extension", value={"valueExtension": FAMILY}),
            {"name": [{"given": ["a", "b"], "_given": [None, {"extension": [FAMILY]}]}]},
        ),
        (
            {"name": [{"given": ["a", "b"], "_given": [None, {"extension": [FAMILY]}]}]},
            operation("delete", "Patient.name.given[1].extension('urn:prefix')"),
            {"name": [{"given": ["a", "b"]}]},
        ),
        # resources within
        (
            {"contained": [{"resourceType": "Organization", "id": "o", "name": "x"}]},
            operation("replace", "Patient.contained[0].name", value={"valueString": "y"}),
            {"contained": [{"resourceType": "Organization", "id": "o", "name": "y"}]},
        ),
        (
            {},
            operation(
                "add", "Patient", name="contained", value={"resource": {"resourceType": "Organization", "id": "o"}}
            ),
            {"contained": [{"resourceType": "Organization", "id": "o"}]},
        ),
    ],
)
def test_one_operation(before: Resource, done: Resource, after: Resource) -> None:
    assert patched(before, done) == after


NAMES: Resource = {
    "name": [
        {"use": "usual", "given": ["Robin"]},
        {"use": "official", "family": "Night", "given": ["Robin", "Ada"], "period": {"start": "2020"}},
        {"use": "old", "text": "it's"},
    ],
    "multipleBirthInteger": 2,
}


@pytest.mark.parametrize(
    "path",
    [
        "Patient.name.where(use = 'official').given[0]",
        "Patient.name.where(use='official').given.first()",
        "name[1].given[0]",
        "Patient.name.where(use = 'official' and family = 'Night').given[0]",
        "Patient.name.where(family.exists() and period.start = '2020').given[0]",
        "Patient.name.where(family.empty() or use = 'official').where(family.exists()).given[0]",
        "Patient.name.where((use = 'official' or use = 'none') and use != 'old').given[0]",
        "Patient.name.where(given.where($this = 'Ada').exists()).given[0]",
        "Patient.name.where(given.exists($this = 'Ada')).given[0]",
        "Patient.name.where(use = 'official').single().given.where($this = 'Robin')",
        "Patient.`name`.where(use = 'official').given[0]",
    ],
)
def test_paths_select_elements(path: str) -> None:
    after = patched(NAMES, operation("replace", path, value={"valueString": "Wren"}))
    assert after["name"][1]["given"] == ["Wren", "Ada"]
    assert (after["name"][0], after["name"][2]) == (NAMES["name"][0], NAMES["name"][2])


def test_text_with_a_quotation_mark_and_numbers_can_be_asked_for() -> None:
    path = r"Patient.name.where(text = 'it\'s').text"
    assert patched(NAMES, operation("replace", path, value={"valueString": "x"}))["name"][2]["text"] == "x"
    path = "Patient.where(multipleBirth = 2).multipleBirth"
    done = operation("replace", path, value={"valueInteger": 3})
    assert patched(NAMES, done)["multipleBirthInteger"] == 3


@pytest.mark.parametrize(
    "done",
    [
        operation("add", "Patient.identifier.where(use = 'official').period", name="end", value={"valueDate": "2021"}),
        operation("add", "Patient", name="active", value={"valueBoolean": False}),
        operation("add", "Patient", name="deceased", value={"valueDateTime": "2026"}),
        operation("add", "Patient", name="deceased", value={"valueString": "yes"}),
        operation("add", "Patient", name="nonsense", value={"valueString": "x"}),
        operation("add", "Patient.name", name="text", value={"valueString": "x"}),
        operation("add", "Patient", name="gender", value={"part": [{"name": "extension", "valueString": "x"}]}),
        operation("replace", "Patient.gender", value={"valueCode": "male"}),
        operation("replace", "Patient.name", value={"valueHumanName": {"text": "x"}}),
        operation("replace", "Patient", value={"resource": {"resourceType": "Patient"}}),
        operation("delete", "Patient"),
        operation("delete", "Patient.name"),
        operation("delete", "Patient.name.single()"),
        operation("insert", "Patient.name", index=3, value={"valueHumanName": {"text": "x"}}),
        operation("insert", "Patient.active", index=0, value={"valueBoolean": True}),
        operation("insert", "Patient.name[0]", index=0, value={"valueHumanName": {"text": "x"}}),
        operation("insert", "Patient.name.given", index=0, value={"valueString": "x"}),
        operation("move", "Patient.name", source=2, destination=0),
        operation("move", "Patient.name", source=0, destination=2),
        operation("move", "Patient.telecom", source=0, destination=0),
        operation("move", "Patient.active", source=0, destination=0),
    ],
)
def test_what_does_not_fit_the_resource_is_unprocessable(done: Resource) -> None:
    before = {"name": [{"text": "one"}, {"text": "two"}], "active": True, "deceasedBoolean": False}
    with pytest.raises(Unprocessable) as caught:
        patched(before, done)
    assert caught.value.issues[0].expression == ("Parameters.parameter[0]",)


@pytest.mark.parametrize(
    "path",
    [
        *("", " ", ".", "Patient.", "Patient..name", "Patient.name[", "Patient.name[x]", "Patient.name[-1]", "a b"),
        *("Patient.name.where()", "Patient.name.where(use = )", "Patient.name.where(use = 'a'", "Patient.name | x"),
        *("Patient.name.trace('x')", "Patient.repeat(name)", "%resource.name", "Patient.name.where(use > 'a')"),
        *("$this", "Patient.$this.name", "Patient.name.extension(x)", "'text'", "Patient.name.first(", "é"),
        "Patient.name.where(" * 40 + "a" + ")" * 40,
        "Patient." + "a" * 3_000,
    ],
)
def test_a_path_that_is_none_is_invalid(path: str) -> None:
    with pytest.raises((Invalid, Unprocessable)) as caught:
        patched({"name": [{"text": "one"}]}, operation("delete", path))
    assert caught.value.issues[0].expression[0].startswith("Parameters.parameter[0]")


@pytest.mark.parametrize(
    "listed",
    [
        *({}, "x", 5, [1], [{}], [{"name": "other"}], [{"name": "operation"}], [{"name": "operation", "part": {}}]),
        [{"name": "operation", "part": [1]}],
        [{"name": "operation", "part": [{"name": "type", "valueCode": "remove"}]}],
        [{"name": "operation", "part": [{"name": "type", "valueCode": ["add"]}]}],
        [{"name": "operation", "part": [{"name": "type", "valueCode": "delete"}]}],
        [{"name": "operation", "part": [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": 5}]}],
        [operation("add", "Patient", name="active")],
        [operation("add", "Patient", value={"valueBoolean": True})],
        [operation("add", "Patient", name="active", value={})],
        [operation("add", "Patient", name="active", value={"valueBoolean": True, "valueString": "x"})],
        [operation("insert", "Patient.name", value={"valueHumanName": {"text": "x"}})],
        [operation("insert", "Patient.name", index=-1, value={"valueHumanName": {"text": "x"}})],
        [operation("insert", "Patient.name", index=True, value={"valueHumanName": {"text": "x"}})],
        [operation("move", "Patient.name", source=0)],
    ],
)
def test_what_is_no_fhirpath_patch_is_invalid(listed: Any) -> None:
    with pytest.raises(Invalid):
        fhirpath_patched({"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": listed})


def test_operations_follow_each_other() -> None:
    after = patched(
        {},
        operation("add", "Patient", name="name", value={"valueHumanName": {"text": "x"}}),
        operation("add", "Patient.name[0]", name="given", value={"valueString": "a"}),
        operation("add", "Patient.name[0]", name="given", value={"valueString": "b"}),
        operation("delete", "Patient.name[0].text"),
    )
    assert after == {"name": [{"given": ["a", "b"]}]}


def test_a_patch_without_operations_changes_nothing() -> None:
    assert fhirpath_patched({"resourceType": "Patient"}, {"resourceType": "Parameters"}) == {"resourceType": "Patient"}


def test_decimals_keep_their_digits() -> None:
    observation = loads(b'{"resourceType":"Observation","valueQuantity":{"value":1.10,"unit":"x"}}')
    patch = loads(dumps(parameters(operation("replace", "Observation.value.value", value={"valueDecimal": 0}))))
    patch["parameter"][0]["part"][2] = loads(b'{"name":"value","valueDecimal":6.30}')
    assert b'"value":6.30' in dumps(fhirpath_patched(observation, patch))


def test_too_much_is_refused() -> None:
    with pytest.raises(TooLarge):
        patched({}, *[operation("delete", "Patient.name")] * (MOST_OPERATIONS + 1))
    many = {"identifier": four(*range(5_000))}
    with pytest.raises(Unprocessable) as caught:
        patched(many, *[operation("delete", "Patient.identifier.where(value = 'none')")] * 100)
    assert caught.value.issues[0].code == "too-costly"


def nested(depth: int, children: int) -> Resource:
    """An extension so deep, with so many children."""
    made: Resource = {"url": "x", "extension": [{"url": "x"}] * children}
    for _ in range(depth):
        made = {"url": "x", "extension": [made]}
    return made


def test_a_look_costs_the_same_at_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch of 131 kB took 16 s: every look climbed to the root."""
    built = 0

    class Counted(Node):
        __slots__ = ()

        def members(self) -> dict[str, Any]:
            nonlocal built
            built += 1
            return super().members()

    monkeypatch.setattr(nodes, "Node", Counted)
    monkeypatch.setattr(fhirpath_patch, "Node", Counted)
    put = operation("add", "Patient", name="extension", value={"valueExtension": nested(60, 1_000)})
    path = "Patient." + "extension[0]." * 61 + "extension.where(url = 'nope')"
    with pytest.raises(Unprocessable) as caught:
        patched({}, put, *[operation("delete", path)] * 90)
    assert caught.value.issues[0].code == "too-costly"
    assert built <= 5 * MOST_LOOKED_AT


@pytest.mark.parametrize("condition", ["id", "id.exists()", "id = 'a'", "$this = 'a'", "value.empty()", "as(code)"])
def test_looks_that_find_nothing_count(condition: str) -> None:
    put = operation("add", "Patient", name="extension", value={"valueExtension": nested(0, 1_000)})
    path = "Patient.extension.extension.where(" + " and ".join([f"({condition} or url = 'x')"] * 30) + ")[9999]"
    with pytest.raises(Unprocessable) as caught:
        patched({}, put, *[operation("delete", path)] * 20)
    assert caught.value.issues[0].code == "too-costly"


def test_paths_that_are_long_together_are_refused_before_they_are_read() -> None:
    path = "Patient." + "(" * 1_900
    with pytest.raises(TooLarge):
        patched({}, *[operation("delete", "Patient.name" + " " * 1_900)] * (MOST_PATHS // 1_900 + 1))
    with pytest.raises(Invalid):
        patched({}, operation("delete", path))


def test_names_that_clients_send_are_not_kept() -> None:
    before = naming._names.cache_info().currsize
    for number in range(100):
        patched({}, operation("delete", f"Patient.name{number}"))
    assert naming._names.cache_info().currsize <= before + 1


@pytest.mark.parametrize(
    "patch",
    [
        [
            operation("add", "Patient", name="name", value={"valueHumanName": {"given": 5, "_given": [{}]}}),
            operation("add", "Patient.name[0].given[0]", name="id", value={"valueString": "x"}),
        ],
        [
            operation("add", "Patient", name="contained", value={"resource": 5}),
            operation("replace", "Patient.contained[0].name", value={"valueString": "x"}),
        ],
        [
            operation("add", "Patient", name="name", value={"valueHumanName": 5}),
            operation("add", "Patient.name[0]", name="text", value={"valueString": "x"}),
        ],
        [
            operation("add", "Patient", name="birthDate", value={"valueDate": "2020", "_valueDate": "x"}),
            operation("add", "Patient.birthDate", name="id", value={"valueString": "x"}),
        ],
        [
            operation("add", "Patient", name="name", value={"valueHumanName": {"given": {"a": 1}}}),
            operation("add", "Patient.name[0]", name="given", value={"valueString": "x"}),
        ],
    ],
)
def test_what_follows_a_value_of_the_wrong_shape_is_unprocessable(patch: list[Resource]) -> None:
    with pytest.raises(Unprocessable) as caught:
        patched({}, *patch)
    assert caught.value.issues[0].expression == ("Parameters.parameter[1]",)


@given(st.text(min_size=1), st.integers(0, 2))
def test_insert_then_delete_changes_nothing(text: str, at: int) -> None:
    before = {"name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}]}
    put = operation("insert", "Patient.name[0].given", index=at, value={"valueString": text})
    assert patched(before, put, operation("delete", f"Patient.name[0].given[{at}]")) == before


@given(st.permutations(range(4)), st.integers(0, 3), st.integers(0, 3))
def test_a_move_back_changes_nothing(order: list[int], source: int, destination: int) -> None:
    before = {"identifier": four(*order)}
    there = operation("move", "Patient.identifier", source=source, destination=destination)
    back = operation("move", "Patient.identifier", source=destination, destination=source)
    assert patched(before, there, back) == before


MEMBERS = ["given", "_given", "name", "extension", "id", "_id", "text", "_text", "resourceType", "contained", "url"]
PATHS = st.sampled_from(
    [
        *("Patient", "Patient.name", "Patient.name[0]", "Patient.name[1]", "name.given", "Patient.name[0].given[0]"),
        *("name[2].given[0]", "name.last().given.last()", "name.last().text", "name[0].given[1].extension[0]"),
        *("Patient.contained[0]", "contained[0].name", "contained[0].name[0].given", "contact[0].name", "birthDate"),
        *("birthDate.id", "birthDate.extension", "extension[0].value", "name[0].id", "deceased", "name[0].extension"),
        *("contact.name.given[0]", "contact[0].name.extension[0]", "birthDate.id.id", "name[0].text", "contained[1]"),
    ]
)
"""Those that lead to something."""
PIECES = st.sampled_from(
    [
        "Patient",
        "name",
        "given",
        "extension",
        "deceased",
        "contact",
        "[0]",
        "[9]",
        ".",
        "where(",
        "exists()",
        ")",
        "=",
        "'a'",
        "$this",
        "first()",
        "last()",
        "ofType(boolean)",
        "text",
        "id",
        " ",
        "resourceType",
        "contained",
    ]
)
MISSHAPEN: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, 5, True, "x", Decimal("1.5"), [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=8,
)
"""Objects where strings belong, numbers where lists belong, lists of null, ``_given`` without ``given`` ..."""
VALUES = (
    st.sampled_from(
        [
            {"valueString": "x"},
            {"valueHumanName": {}},
            {"part": [{"name": "given", "valueString": 1}]},
            {"valueExtension": {"url": "x"}},
            {"part": []},
        ]
    )
    | st.builds(
        lambda suffix, value: {f"value{suffix}": value},
        st.sampled_from(["String", "HumanName", "Extension", "Boolean", "Resource", "Date"]),
        MISSHAPEN,
    )
    | st.builds(lambda value, beside: {"valueString": value, "_valueString": beside}, MISSHAPEN, MISSHAPEN)
    | st.builds(lambda beside: {"_valueDate": beside}, MISSHAPEN)
    | st.builds(lambda value: {"resource": value}, MISSHAPEN)
    | st.builds(
        lambda name, value: {"part": [{"name": name, "valueHumanName": value}]}, st.sampled_from(["name"]), MISSHAPEN
    )
)
OPERATIONS = st.builds(
    lambda type_, path, name, value, at, to: operation(
        type_, "".join(path), name=name, value=value, index=at, source=at, destination=to
    ),
    st.sampled_from(["add", "insert", "delete", "replace", "move"]),
    PATHS | st.lists(PIECES, min_size=1, max_size=6),
    st.sampled_from(["name", "text", "given", "extension", "deceased", "id", "contained", "birthDate", "contact"]),
    VALUES,
    st.integers(0, 2),
    st.integers(0, 2),
)


ROW: st.SearchStrategy[Any] = st.sampled_from(
    [5, "x", {}, {"a": 1}, [], [None], [{}], [None, {"id": "x"}], ["a"], [5, []], None, True]
)
NAME = st.fixed_dictionaries({}, optional=dict.fromkeys(["given", "_given", "extension", "text", "_text"], ROW))
BEFORE = st.fixed_dictionaries(
    {"name": st.lists(NAME | MISSHAPEN, min_size=1, max_size=3) | ROW},
    optional=dict.fromkeys(["contained", "contact", "birthDate", "_birthDate", "extension"], ROW | MISSHAPEN),
)
"""What stands there, as the operations before have left it."""
FITTING = st.sampled_from(
    [
        operation(type_, path, name=name, value=value, index=0, source=0, destination=1)
        for path, name, value in (
            ("name[0].given[0]", "id", {"valueString": "x"}),
            ("name[0].given[0]", "extension", {"valueExtension": {"url": "x"}}),
            ("name[0].given", "given", {"valueString": "x"}),
            ("name[0]", "given", {"valueString": "x", "_valueString": {"id": "x"}}),
            ("name[0].text", "id", {"valueString": "x"}),
            ("birthDate", "extension", {"valueExtension": {"url": "x"}}),
            ("contained[0]", "id", {"valueId": "x"}),
            ("contained[0].name", "text", {"valueString": "x"}),
            ("contact[0].name", "text", {"valueString": "x"}),
        )
        for type_ in ("add", "insert", "delete", "replace", "move")
    ]
)
"""Operations that would fit, if what they meet were of the shape that R4 gives it."""


@settings(max_examples=300)
@given(BEFORE, st.lists(OPERATIONS | FITTING, min_size=1, max_size=6))
def test_whatever_comes_is_applied_or_refused(before: Resource, patch: list[Resource]) -> None:
    with contextlib.suppress(ConsiliumError):
        patched(before, *patch)
