"""What is no FHIR XML is refused in our own words; what R4 does not define is left to validation."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConsiliumError, Invalid, TooLarge, Unprocessable
from shared.fhir.validate import check
from shared.fhir.xml import from_xml, to_xml
from shared.fhir.xml.reading import DEEPEST

NS = 'xmlns="http://hl7.org/fhir"'
XHTML = "http://www.w3.org/1999/xhtml"
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    f'<Patient {NS}><birthDate value="&b;"/></Patient>'
)


def patient(inside: str) -> bytes:
    """A Patient with that content."""
    return f"<Patient {NS}>{inside}</Patient>".encode()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", ""),
        (b"{}", ""),
        (b"<Patient", ""),
        (b"<Patient/>", ""),
        (f"<Nonsense {NS}/>".encode(), ""),
        (b'<Patient xmlns="http://hl7.org/fhir/other"/>', ""),
        (BOMB.encode(), ""),
        (f'<!DOCTYPE Patient SYSTEM "file:///etc/passwd"><Patient {NS}/>'.encode(), ""),
        (f"<Patient {NS}>&nbsp;</Patient>".encode(), ""),
        (patient('<birthDate value="\xff"/>').decode().encode("latin-1"), ""),
        (f'<?xml version="1.0" encoding="UTF-16"?><Patient {NS}/>'.encode("utf-16"), ""),
        (patient("text"), "Patient"),
        (patient('<name><family value="a"/>text</name>'), "Patient.name[0]"),
        (patient('<gender value="male" other="x"/>'), "Patient"),
        (patient('<gender value="male" value="x"/>'), ""),
        (patient('<name value="x"/>'), "Patient"),
        (patient('<contact/><contact><name xmlns="urn:x"/></contact>'), "Patient.contact[1]"),
        (patient('<extension><url value="x"/></extension>'), "Patient.extension[0]"),
        (patient('<name><id value="x"/></name>'), "Patient.name[0]"),
        (patient('<resourceType value="Basic"/>'), "Patient"),
        (patient('<_birthDate value="x"/>'), "Patient"),
        (patient("<contained><Nonsense/></contained>"), "Patient.contained[0]"),
        (patient("<contained><Patient/><Patient/></contained>"), "Patient.contained[0]"),
        (patient("<text><div>no namespace</div></text>"), "Patient.text.div"),
        (patient(f'<text><div xmlns="{XHTML}"><p xmlns="urn:x">a</p></div></text>'), "Patient.text.div"),
        (patient(f'<div xmlns="{XHTML}">misplaced</div>'), "Patient"),
        (patient("<extension>" * DEEPEST + "</extension>" * DEEPEST), None),
        (patient(f'<text><div xmlns="{XHTML}">' + "<p>" * DEEPEST + "</p>" * DEEPEST + "</div></text>"), None),
    ],
)
def test_what_is_no_fhir_xml_is_invalid(body: bytes, where: str | None) -> None:
    with pytest.raises(Invalid) as error:
        from_xml(body)
    [issue] = error.value.issues
    assert issue.code == "structure"
    if where is not None:
        assert issue.expression == ((where,) if where else ())


def test_very_many_nodes_are_too_large_and_not_read() -> None:
    with pytest.raises(TooLarge):
        from_xml(patient("<a/>" * 120_000))


def test_a_large_value_is_read() -> None:
    data = "QUJD" * 500_000
    assert from_xml(f'<Binary {NS}><data value="{data}"/></Binary>'.encode())["data"] == data


@pytest.mark.parametrize(
    ("inside", "json"),
    [
        ('<colour value="red"/>', {"colour": "red"}),
        ('<contact><colour value="red"/></contact>', {"contact": [{"colour": "red"}]}),
        ('<gender value="male"/><gender value="female"/>', {"gender": ["male", "female"]}),
        ('<maritalStatus><text value="a"/></maritalStatus>' * 2, {"maritalStatus": [{"text": "a"}, {"text": "a"}]}),
        ('<active value="yes"/>', {"active": "yes"}),
        ('<multipleBirthInteger value="one"/>', {"multipleBirthInteger": "one"}),
        ('<multipleBirthInteger value="01"/>', {"multipleBirthInteger": "01"}),
        ("<birthDate/>", {"birthDate": None}),
        ("<name/>", {"name": [{}]}),
        ('<name><given/><given value="a"/></name>', {"name": [{"given": [None, "a"]}]}),
        ("<contained/>", {"contained": [None]}),
    ],
)
def test_what_r4_does_not_define_is_found_where_it_is_in_json(inside: str, json: dict[str, Any]) -> None:
    read = from_xml(patient(inside))
    assert read == {"resourceType": "Patient"} | json
    with pytest.raises(Unprocessable):
        check(read)


@pytest.mark.parametrize(
    ("xml", "div"),
    [
        (f'<div xmlns="{XHTML}"/>', f'<div xmlns="{XHTML}"/>'),
        (f'<div  xmlns="{XHTML}">a<br/></div>', f'<div xmlns="{XHTML}">a<br/></div>'),
        (f'<div xmlns="{XHTML}" title="&gt;>">a</div>', f'<div xmlns="{XHTML}" title="&gt;>">a</div>'),
        (
            f'<h:div xmlns:h="{XHTML}" id="x">a<h:b>&amp;</h:b></h:div>',
            f'<div xmlns="{XHTML}" id="x">a<b>&amp;</b></div>',
        ),
        (f'<div xmlns="{XHTML}" xmlns:h="{XHTML}"><h:i>a</h:i></div>', None),
    ],
)
def test_a_narrative_keeps_its_text_or_gets_its_namespace(xml: str, div: str | None) -> None:
    read = from_xml(patient(f'<text><status value="generated"/>{xml}</text><gender value="male"/>'))
    assert read["text"]["div"] == (div or f'<div xmlns="{XHTML}"><i>a</i></div>')
    assert read["gender"] == "male"


def test_prefixes_comments_and_the_place_of_the_schema_are_no_matter() -> None:
    body = (
        '<?xml version="1.0"?><!-- a --><f:Patient xmlns:f="http://hl7.org/fhir"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir a.xsd">'
        '<?b c?><f:gender value="male"/>\n</f:Patient>'
    )
    assert from_xml(body.encode()) == {"resourceType": "Patient", "gender": "male"}


@given(st.text(max_size=40), st.integers(0, 60), st.integers(0, 20))
def test_damaged_xml_is_refused_or_read_but_never_a_crash(text: str, at: int, gone: int) -> None:
    body = to_xml({"resourceType": "Patient", "id": "a", "name": [{"family": "b", "_family": {"id": "c"}}]}).decode()
    with suppress(ConsiliumError):
        from_xml((body[:at] + text + body[at + gone :]).encode())
