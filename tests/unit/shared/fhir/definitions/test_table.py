"""The table of R4's facts."""

import re

import pytest

from shared.fhir.definitions import ABSTRACT_TYPES, DATATYPES, PRIMITIVE_TYPES, RESOURCE_TYPES, reference_targets
from shared.fhir.definitions.table import codes, elements, facts, part_names


def test_the_types_are_those_of_r4() -> None:
    assert len(RESOURCE_TYPES) == 146
    assert len(RESOURCE_TYPES | ABSTRACT_TYPES) == 148
    assert {"Parameters", "Bundle", "EffectEvidenceSynthesis", "MedicinalProduct"} <= RESOURCE_TYPES
    assert not {"SubscriptionStatus", "SubscriptionTopic", "Citation", "Resource"} & RESOURCE_TYPES


def test_every_type_that_an_element_has_is_in_the_table() -> None:
    known = DATATYPES | PRIMITIVE_TYPES | ABSTRACT_TYPES
    for owner in RESOURCE_TYPES | DATATYPES:
        for path in (owner, *part_names(owner)):
            for element in elements(path):
                for type_ in element.types:
                    assert elements(type_.name) if type_.part else type_.name in known
                    assert type_.targets <= RESOURCE_TYPES
                assert element.codes is None or codes(element.codes)


def test_every_code_list_has_codes_without_blanks() -> None:
    for name in facts()["codes"]:
        listed = [code for system in codes(name).values() for code in system]
        assert listed
        assert all(re.fullmatch(r"\S+", code) for code in listed)


@pytest.mark.parametrize(
    ("type_", "path", "targets"),
    [
        ("CarePlan", "subject", {"Patient", "Group"}),
        ("CarePlan", "goal", {"Goal"}),
        ("MedicationRequest", "medication", {"Medication"}),
        ("Task", "output.value", RESOURCE_TYPES),
        ("Task", "focus", RESOURCE_TYPES),
    ],
)
def test_the_targets_of_a_reference_are_known(type_: str, path: str, targets: set[str]) -> None:
    assert reference_targets(type_, path) == targets


@pytest.mark.parametrize(("type_", "path"), [("CarePlan", "title"), ("CarePlan", "colour"), ("Plan", "subject")])
def test_there_are_none_where_there_is_no_reference(type_: str, path: str) -> None:
    with pytest.raises(KeyError):
        reference_targets(type_, path)


def test_elements_that_only_later_versions_have_are_absent() -> None:
    names = {element.name for element in elements("EvidenceVariable.characteristic")}
    assert {"definition[x]", "usageContext", "timeFromStart"} <= names
    assert not {"definitionByCombination", "linkId", "instances[x]"} & names
    assert "url" not in {element.name for element in elements("Binary")}
    assert "author" not in {element.name for element in elements("Meta")}
