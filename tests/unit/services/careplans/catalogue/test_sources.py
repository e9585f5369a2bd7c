"""The sources of the catalogue: complete, strict, and valid R4 with verified codes only."""

import re
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.careplans.catalogue.definitions import definitions, digest
from services.careplans.catalogue.reading import catalogue, read
from services.careplans.domain.applying.circumstances import Circumstances
from services.careplans.domain.applying.classes import RXNORM, SNOMED
from services.careplans.domain.applying.expressions import compile_expression, variables
from services.careplans.domain.applying.extensions import CONTRAINDICATION, INGREDIENT, UNVERIFIED, hazards
from services.careplans.domain.applying.gather import gather
from services.careplans.domain.codes import extension_value
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.validate import check
from tests.unit.services.careplans.domain.applying.patients import AS_OF, record

DEFINITIONS = definitions(catalogue())
ACTIVITIES = [each for each in DEFINITIONS if each["resourceType"] == "ActivityDefinition"]
FOLDER = Path(str(files("services.careplans.catalogue")))

ITEMS = {
    "psychological": "cbt-individual cbt-group act mbsr dbt psychodynamic",
    "medication": "acetaminophen nsaid opioids tca snri gabapentinoids anxiolytics muscle-relaxants",
    "physical": "physical-therapy graded-exercise low-impact-activity",
    "stress-management": "mindfulness-meditation deep-breathing progressive-muscle-relaxation enjoyable-activities",
    "complementary": "acupuncture massage yoga tai-chi mind-body-relaxation herbal-remedies music-therapy",
    "lifestyle": "diet regular-exercise sleep-hygiene",
    "self-care": "heat-or-cold relaxation self-massage-and-stretching distraction social-contacts",
    "education-and-support": "pain-education self-management-course support-group peer-support family-education",
}
"""The clinic's table of treatments."""
VERIFIED = set(
    """
    228557008 405780009 18512000 1555005 302242004 229065009 91251008 409063005 409073007 306265007 308459004 308477009
    306343005 390866009 308447003 308453003 103699006
    """.split()
)
"""SNOMED CT codes that were verified in public value sets."""
UNVERIFIED_RXNORM = set("25480 187832 5640 7258 161 3028 57258 1292 6470 596 2598 588250 1364430".split())


@pytest.mark.parametrize("group", ITEMS)
def test_every_treatment_of_the_clinics_table_is_there(group: str) -> None:
    (found,) = (each for each in catalogue().groups if each.group == group)
    assert set(ITEMS[group].split()) <= {treatment.id for treatment in found.treatments}


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each["id"])
def test_every_definition_is_valid_r4_with_a_stable_address(definition: Resource) -> None:
    check(loads(dumps(definition)))
    type_, id_ = definition["resourceType"], definition["id"]
    assert definition["url"] == f"https://consilium.care/fhir/{type_}/{id_}"
    assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", definition["name"])
    assert definition["version"] == catalogue().version
    assert definition["relatedArtifact"]
    assert definition["lastReviewDate"]


@pytest.mark.parametrize("definition", ACTIVITIES, ids=lambda each: each["id"])
def test_only_verified_codes_are_shipped_and_others_are_marked(definition: Resource) -> None:
    codings = definition["code"]["coding"]
    assert {each["code"] for each in codings if each["system"] == SNOMED} <= VERIFIED
    for ingredient in (each for each in definition["extension"] if each["url"] == INGREDIENT):
        for coding in ingredient["valueCodeableConcept"].get("coding", ()):
            assert coding["system"] == RXNORM
            marked = bool(extension_value(coding, UNVERIFIED))
            assert marked == (coding["code"] in UNVERIFIED_RXNORM)


@pytest.mark.parametrize("id_", ["act", "mbsr", "yoga", "tai-chi", "massage", "acupuncture"])
def test_what_has_no_verified_code_has_our_own_only(id_: str) -> None:
    (definition,) = (each for each in ACTIVITIES if each["id"] == id_)
    assert [each["system"] for each in definition["code"]["coding"]] == [
        "https://consilium.care/fhir/CodeSystem/treatment"
    ]


def test_every_expression_parses_and_names_variables_that_there_are() -> None:
    known = gather(record(), AS_OF, Circumstances()).environment()
    found = list(_expressions(DEFINITIONS))
    assert len(found) > 100
    for expression in found:
        compile_expression(expression, "x")
        assert set(variables(expression)) <= known.keys(), expression


def test_medicines_have_contraindications_that_the_record_tells() -> None:
    for definition in ACTIVITIES:
        if definition["kind"] == "MedicationRequest":
            assert any(hazard.expression for hazard in hazards(definition, CONTRAINDICATION)), definition["id"]


def test_psychogenic_is_a_synonym_only() -> None:
    for definition in DEFINITIONS:
        assert "psychogenic" not in f"{definition['title']} {definition['name']}".lower()
    named = [each["id"] for each in DEFINITIONS if "psychogenic" in each["description"]]
    assert named == ["stepped-care"]


def test_a_changed_catalogue_has_a_new_version() -> None:
    """What was loaded under a version is not loaded again under it."""
    versions = yaml.safe_load((FOLDER / "versions.yaml").read_text(encoding="utf-8"))
    version, found = catalogue().version, digest(DEFINITIONS)
    assert versions.get(version) == found, f"released before? raise the version. Then versions.yaml: {version}: {found}"


def _first(groups: Any) -> Any:
    return groups["treatments"][0]


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("treatments/physical.yaml", lambda it: _first(it).update(colour="red"), "colour"),
        ("treatments/physical.yaml", lambda it: _first(it).pop("dose"), "dose"),
        ("treatments/physical.yaml", lambda it: _first(it).update(kind="Task"), "kind"),
        ("treatments/physical.yaml", lambda it: _first(it).update(ingredients=["x"]), "ingredients"),
        ("treatments/physical.yaml", lambda it: _first(it).update(sources=["hearsay"]), "no such source: hearsay"),
        ("treatments/physical.yaml", lambda it: _first(it).update(id="act"), "two treatments are called act"),
        (
            "treatments/physical.yaml",
            lambda it: _first(it).update(cautions=[{"text": "x", "conditions": ["plague"]}]),
            "no such class: plague",
        ),
        ("plans/bridging.yaml", lambda it: it["actions"][0].pop("why_not"), "why not"),
        ("plans/bridging.yaml", lambda it: it["actions"][0].pop("choose"), "choose"),
        ("plans/bridging.yaml", lambda it: it["actions"][0].update(goals=["fly"]), "no such goal: fly"),
        ("plans/bridging.yaml", lambda it: it["actions"][0].update(before=["x"]), "no such action: x"),
        (
            "plans/bridging.yaml",
            lambda it: it["actions"][0]["actions"][0].update(treatment="x"),
            "no such treatment: x",
        ),
        ("plans/bridging.yaml", lambda it: it["goals"][0].update(target="x"), "target"),
        ("catalogue.yaml", lambda it: it.update(version="one"), "version"),
    ],
)
def test_a_mistake_in_the_sources_is_named(
    tmp_path: Path, file: str, change: Callable[[Any], object], told: str
) -> None:
    shutil.copytree(FOLDER, tmp_path / "c")
    content = yaml.safe_load((tmp_path / "c" / file).read_text(encoding="utf-8"))
    change(content)
    (tmp_path / "c" / file).write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        read(tmp_path / "c")


def _expressions(element: Any) -> list[str]:
    if isinstance(element, list):
        return [found for each in element for found in _expressions(each)]
    if not isinstance(element, dict):
        return []
    own = [element["expression"]] if isinstance(element.get("expression"), str) else []
    return own + [found for each in element.values() for found in _expressions(each)]
