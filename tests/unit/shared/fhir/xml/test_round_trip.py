"""JSON to XML and back gives the same (http://hl7.org/fhir/R4/xml.html)."""

from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.fhir.definitions import ABSTRACT_TYPES, PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import elements
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.xml import from_xml, to_xml
from tests.unit.shared.fhir.validate.examples import EXAMPLES
from tests.unit.shared.fhir.validate.instances import minimal, value

_canonical = msgspec.json.Encoder(order="deterministic", decimal_format="number")
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"'
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")) | st.sampled_from("\t\n\r<>&\"'"), min_size=1
)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: Decimal(f"{number}"))
WHOLE = st.integers(-(2**31), 2**31 - 1)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "decimal": NUMBERS | WHOLE,
    "integer": WHOLE,
    "positiveInt": st.integers(1, 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "xhtml": st.sampled_from(
        [
            f"{DIV}>plain</div>",
            f"{DIV}><p class='a'>a &amp; b<br/>\n&#160;c</p><!-- d --></div>",
            f'{DIV} lang="de"> </div>',
        ]
    ),
}


def canonical(value: Any) -> bytes:
    """The JSON of ``value`` with members in order."""
    return _canonical.encode(value)


def there_and_back(resource: Resource) -> bytes:
    """The canonical JSON of ``resource`` after it was XML."""
    return canonical(loads(dumps(from_xml(to_xml(resource)))))


@st.composite
def objects(draw: st.DrawFn, path: str, depth: int = 0) -> dict[str, Any]:
    """An object of the type or part at ``path``, with a few of its elements, as JSON writes them."""
    made: dict[str, Any] = {"resourceType": path} if path in RESOURCE_TYPES else {}
    known = [element for element in elements(path) if path != "Element" or element.name != "id"]
    chosen = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique_by=lambda element: element.name))
    for element in chosen:
        name, type_ = draw(st.sampled_from(list(element.names())))
        is_attribute = name == "id" or (name == "url" and path == "Extension")
        if type_.name in PRIMITIVE_TYPES:
            one = PRIMITIVES.get(type_.name, TEXT)
            if is_attribute or type_.name == "xhtml":
                made[name] = draw(one)
            elif element.many:
                pairs = draw(st.lists(st.sampled_from(("value", "beside", "both")), min_size=1, max_size=3))
                values = [draw(one) if pair != "beside" else None for pair in pairs]
                beside = [draw(sidecars()) if pair != "value" else None for pair in pairs]
                made |= {name: values} if any(each is not None for each in values) else {}
                made |= {f"_{name}": beside} if any(beside) else {}
            else:
                has = draw(st.sampled_from(("value", "beside", "both")))
                made |= {name: draw(one)} if has != "beside" else {}
                made |= {f"_{name}": draw(sidecars())} if has != "value" else {}
        elif depth < 3:
            inner = draw(st.sampled_from(("Basic", "Patient"))) if type_.name in ABSTRACT_TYPES else type_.name
            count = draw(st.integers(1, 2)) if element.many else 1
            each = [draw(objects(inner, depth + 1)) for _ in range(count)]
            each = [item for item in each if item]
            made |= {name: each if element.many else each[0]} if each else {}
    return made


def sidecars() -> st.SearchStrategy[dict[str, Any]]:
    """The id and extensions of a primitive."""
    extension = st.fixed_dictionaries({"url": TEXT, "valueString": TEXT})
    return st.fixed_dictionaries({"extension": st.lists(extension, min_size=1, max_size=2)}, optional={"id": TEXT})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.sampled_from(["Patient", "Observation", "CarePlan", "Bundle", "Questionnaire", "Task", "Timing"]).flatmap(
        lambda type_: objects(type_ if type_ in RESOURCE_TYPES else "ServiceRequest")
    )
)
def test_whatever_r4_can_say_comes_back_as_it_was(resource: Resource) -> None:
    assert there_and_back(resource) == canonical(loads(dumps(resource)))


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_element_of_every_type_comes_back(type_: str) -> None:
    for element in elements(type_):
        for name, datatype in element.names():
            resource = minimal(type_) | {name: value(element, datatype)}
            assert there_and_back(resource) == canonical(resource)


@pytest.mark.parametrize("resource", EXAMPLES, ids=lambda resource: str(resource["resourceType"]))
def test_examples_come_back_also_when_indented(resource: Resource) -> None:
    plain, pretty = from_xml(to_xml(resource)), from_xml(to_xml(resource, pretty=True))
    assert canonical(plain) == canonical(pretty)
    # XML has no &nbsp;: it is the character itself there
    assert canonical(plain) == canonical(loads(dumps(resource).replace(b"&nbsp;", "\xa0".encode())))


def test_the_order_is_that_of_r4_and_not_that_of_json() -> None:
    """http://hl7.org/fhir/R4/xml.html: elements appear in the order of the definition."""
    resource = {"gender": "male", "name": [{"given": ["a"], "family": "b"}], "id": "x", "resourceType": "Patient"}
    root = ElementTree.fromstring(to_xml(resource))
    assert [each.tag.partition("}")[2] for each in root] == ["id", "name", "gender"]
    assert [each.tag.partition("}")[2] for each in root[1]] == ["family", "given"]


def test_it_is_written_as_the_specification_shows() -> None:
    """http://hl7.org/fhir/R4/json.html has the pairs."""
    resource = loads(
        b'{"resourceType":"Observation","id":"o","text":{"status":"generated","div":"'
        + DIV.replace('"', '\\"').encode()
        + b'>a</div>"},"contained":[{"resourceType":"Patient","id":"p"}],"status":"final","_status":{"id":"s"},'
        b'"code":{"text":"<&\\">\\n"},"valueQuantity":{"id":"q","value":1.50,"unit":"kg"},'
        b'"note":[{"text":"x","extension":[{"url":"u","valueBoolean":true}]}]}'
    )
    assert to_xml(resource).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><Observation xmlns="http://hl7.org/fhir"><id value="o"/><text>'
        f'<status value="generated"/>{DIV}>a</div></text><contained><Patient><id value="p"/></Patient></contained>'
        '<status value="final" id="s"/><code><text value="&lt;&amp;&quot;&gt;&#10;"/></code>'
        '<valueQuantity id="q"><value value="1.50"/><unit value="kg"/></valueQuantity>'
        '<note><extension url="u"><valueBoolean value="true"/></extension><text value="x"/></note></Observation>'
    )


@pytest.mark.parametrize(
    "digits", ["0", "-5", "1.50", "0.10", "1E+2", "3.6764378562720525649882309936002114105304E-28", "9" * 60]
)
def test_decimals_keep_all_their_digits(digits: str) -> None:
    """http://hl7.org/fhir/R4/datatypes.html#decimal"""
    resource = {"resourceType": "Basic", "extension": [{"url": "u", "valueDecimal": Decimal(digits)}]}
    assert f'<valueDecimal value="{digits}"/>'.encode() in to_xml(resource)
    assert there_and_back(resource) == canonical(resource)


def test_nulls_in_a_list_of_primitives_are_elements_without_a_value() -> None:
    """http://hl7.org/fhir/R4/json.html#primitive"""
    given_ = {"given": ["a", None, "c"], "_given": [None, {"id": "b"}, None]}
    resource = {"resourceType": "Patient", "name": [given_]}
    assert b'<given value="a"/><given id="b"/><given value="c"/>' in to_xml(resource)
    assert from_xml(to_xml(resource)) == resource


def test_what_xml_cannot_express_is_replaced() -> None:
    """https://www.w3.org/TR/xml/#charsets"""
    written = to_xml({"resourceType": "Basic", "code": {"text": "a\ufffeb"}})
    assert from_xml(written)["code"]["text"] == "a\ufffdb"
