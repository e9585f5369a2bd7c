"""XML in and out for every interaction (http://hl7.org/fhir/R4/xml.html, http.html#mime-type)."""

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from shared.fhir.json import Resource, loads
from shared.fhir.xml import from_xml, to_xml
from tests.factories.resources import bundle, care_plan, entry, observation, patient

XML = {"content-type": "application/fhir+xml", "accept": "application/fhir+xml"}
ACCEPT = {"accept": "application/fhir+xml"}
JSON = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}


def _told(answer: httpx.Response, status: int = 200) -> Resource:
    """What an answer in XML says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "accept" in answer.headers["vary"]
    assert ElementTree.fromstring(answer.content).tag.startswith("{http://hl7.org/fhir}")
    return from_xml(answer.content)


async def _created(fhir: httpx.AsyncClient, resource: Resource) -> str:
    """The address of a resource that was sent as XML."""
    answer = await fhir.post(resource["resourceType"], content=to_xml(resource), headers=XML)
    return f"{resource['resourceType']}/{_told(answer, 201)['id']}"


async def test_create_and_read_in_both_formats_tell_the_same(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#create, #read"""
    address = await _created(fhir, observation(await _created(fhir, patient())))
    read = await fhir.get(address, headers=ACCEPT)
    json = await fhir.get(address, headers=JSON)
    assert _told(read) == loads(json.content)
    assert read.headers["etag"] == json.headers["etag"] == 'W/"1"'
    assert "accept" in json.headers["vary"]
    head = await fhir.head(address, headers=ACCEPT)
    assert (head.content, head.headers["content-length"]) == (b"", read.headers["content-length"])
    assert (await fhir.get(address, headers={**ACCEPT, "if-none-match": 'W/"1"'})).status_code == 304


async def test_decimals_keep_their_digits_both_ways(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/json.html#decimal"""
    subject = await _created(fhir, patient())
    body = to_xml(observation(subject)).replace(b'"6.3"', b'"6.300"')
    answer = await fhir.post("Observation", content=body, headers=XML)
    assert b'<value value="6.300"/>' in answer.content
    stored = await fhir.get(f"Observation/{from_xml(answer.content)['id']}", headers=JSON)
    assert b'"value":6.300' in stored.content


async def test_update_vread_and_history(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#update, #vread, #history"""
    address = await _created(fhir, patient())
    whole = _told(await fhir.get(address, headers=ACCEPT))
    changed = await fhir.put(address, content=to_xml(whole | {"gender": "male"}), headers=XML)
    assert _told(changed)["gender"] == "male"
    assert _told(await fhir.get(f"{address}/_history/1", headers=ACCEPT)) == whole
    past = _told(await fhir.get(f"{address}/_history", headers=ACCEPT))
    assert [each["resource"]["gender"] for each in past["entry"]] == ["male", "female"]


async def test_fhirpath_patch(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/fhirpatch.html"""
    address = await _created(fhir, patient())
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "male"},
    ]
    asked = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
    assert _told(await fhir.patch(address, content=to_xml(asked), headers=XML))["gender"] == "male"


async def test_delete_and_what_is_gone(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#delete"""
    address = await _created(fhir, patient())
    assert (await fhir.delete(address, headers=ACCEPT)).status_code == 204
    assert _told(await fhir.get(address, headers=ACCEPT), 410)["resourceType"] == "OperationOutcome"


async def test_search_by_get_and_post(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#search"""
    subject = await _created(fhir, patient())
    await _created(fhir, care_plan(subject))
    found = _told(await fhir.get("CarePlan?status=active&_include=CarePlan:subject&_total=accurate", headers=ACCEPT))
    assert found["total"] == 1
    assert [each["search"]["mode"] for each in found["entry"]] == ["match", "include"]
    assert found["entry"][0]["resource"] == loads(
        (await fhir.get(f"CarePlan/{found['entry'][0]['resource']['id']}", headers=JSON)).content
    )
    by_post = await fhir.post("CarePlan/_search", data={"status": "active"}, headers=ACCEPT)
    assert len(_told(by_post)["entry"]) == 1


async def test_links_keep_the_format_that_was_asked_for_by_parameter(fhir: httpx.AsyncClient) -> None:
    for _ in range(2):
        await _created(fhir, patient())
    found = _told(await fhir.get("Patient?_count=1&_format=xml&_pretty=true"))
    following = next(link["url"] for link in found["link"] if link["relation"] == "next")
    assert len(_told(await fhir.get(following))["entry"]) == 1


@pytest.mark.parametrize("level", ["Patient/p/_history", "Patient/_history", "_history"])
async def test_links_of_a_history_keep_it(fhir: httpx.AsyncClient, level: str) -> None:
    for family in "ab":
        await fhir.put("Patient/p", json=patient(id="p", name=[{"family": family}]))
    seen, url = 0, f"{level}?_count=1&_format=xml"
    while url:
        page = _told(await fhir.get(url))
        seen += len(page.get("entry", ()))
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert seen == 2


async def test_a_search_by_post_says_in_its_body_what_it_wants(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#Introduction"""
    await _created(fhir, patient())
    assert len(_told(await fhir.post("Patient/_search", data={"_format": "xml"}))["entry"]) == 1
    pretty = await fhir.post("Patient/_search", data={"_pretty": "true"})
    assert b'\n  "' in pretty.content
    assert (await fhir.post("Patient/_search", data={"_format": "ttl"})).status_code == 406


async def test_batch_and_transaction(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#transaction"""
    uuid = "urn:uuid:0b2ee9a2-94a8-4a5b-9f5b-9c7a3a1b6f01"
    asked = bundle(
        "transaction",
        entry("POST", "Patient", patient(), uuid),
        entry("POST", "CarePlan", care_plan(uuid)),
    )
    stored = _told(await fhir.post("", content=to_xml(asked), headers=XML))
    assert [each["response"]["status"] for each in stored["entry"]] == ["201 Created"] * 2
    asked = bundle("batch", entry("GET", "CarePlan?status=active"), entry("GET", "Patient/unknown"))
    told = _told(await fhir.post("", content=to_xml(asked), headers=XML))
    assert told["entry"][0]["resource"]["entry"][0]["resource"]["resourceType"] == "CarePlan"
    assert told["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"


async def test_a_bad_entry_of_a_batch_fails_alone(fhir: httpx.AsyncClient) -> None:
    asked = to_xml(bundle("batch", entry("POST", "Patient", patient()), entry("POST", "Patient", patient())))
    asked = asked.replace(b'<gender value="female"/>', b'<sex value="female"/>', 1)
    told = _told(await fhir.post("", content=asked, headers=XML))
    assert [each["response"]["status"][:3] for each in told["entry"]] == ["422", "201"]


async def test_conditional_create(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#ccreate"""
    address = await _created(fhir, patient())
    again = {**XML, "if-none-exist": "identifier=urn:oid:1.2.3|p-1"}
    answer = await fhir.post("Patient", content=to_xml(patient()), headers=again)
    assert f"Patient/{_told(answer)['id']}" == address


async def test_an_operation(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/operations.html"""
    address = await _created(fhir, patient())
    told = _told(await fhir.get(f"{address}/$meta", headers=ACCEPT))
    assert told["parameter"][0]["valueMeta"]["versionId"] == "1"


async def test_the_capability_statement_lists_the_formats_and_comes_in_both(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/capabilitystatement.html"""
    told = _told(await fhir.get("metadata", headers=ACCEPT))
    assert told["format"] == ["application/fhir+json", "application/fhir+xml", "json", "xml"]
    assert told == loads((await fhir.get("metadata", headers=JSON)).content)


async def test_a_summary(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#summary"""
    part = _told(await fhir.get(f"{await _created(fhir, patient())}?_elements=gender", headers=ACCEPT))
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "name" not in part


@pytest.mark.parametrize("prefer", ["minimal", "representation", "OperationOutcome"])
async def test_prefer(fhir: httpx.AsyncClient, prefer: str) -> None:
    """http://hl7.org/fhir/R4/http.html#ops"""
    answer = await fhir.post("Patient", content=to_xml(patient()), headers={**XML, "prefer": f"return={prefer}"})
    assert answer.status_code == 201
    if prefer == "minimal":
        assert answer.content == b""
    else:
        assert _told(answer, 201)["resourceType"] == {"representation": "Patient"}.get(prefer, prefer)


@pytest.mark.parametrize("media", ["application/fhir+xml", "application/xml; charset=UTF-8", "text/xml"])
async def test_each_media_type_of_xml_is_taken_and_the_answer_is_as_accept_says(
    fhir: httpx.AsyncClient, media: str
) -> None:
    """http.html#mime-type: what comes in and what goes out need not be the same."""
    answer = await fhir.post("Patient", content=to_xml(patient()), headers={"content-type": media})
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert _told(await fhir.post("Patient", json=patient(), headers=ACCEPT), 201)["gender"] == "female"


async def test_pretty_is_indented_in_both_formats(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#general"""
    address = await _created(fhir, patient())
    xml = await fhir.get(f"{address}?_format=xml&_pretty=true")
    assert b'\n  <gender value="female"/>' in xml.content
    json = await fhir.get(f"{address}?_pretty=true")
    assert b'\n  "gender": "female"' in json.content
    assert _told(xml) == json.json() == (await fhir.get(address)).json()
    assert (await fhir.get(f"{address}?_pretty=perhaps")).status_code == 400


@pytest.mark.parametrize(
    ("defect", "place"),
    [
        (lambda resource: resource | {"gender": "bogus"}, "Patient.gender"),
        (lambda resource: resource | {"name": [{}, {"family": "a", "colour": "red"}]}, "Patient.name[0]"),
        (lambda resource: resource | {"contact": [{"name": {"text": "a"}}, {"colour": "red"}]}, "Patient.contact[1]"),
        (lambda resource: resource | {"active": "maybe"}, "Patient.active"),
        (lambda resource: resource | {"birthDate": "yesterday"}, "Patient.birthDate"),
        (lambda resource: resource | {"generalPractitioner": [{"reference": "Nonsense"}]}, None),
    ],
)
async def test_findings_are_where_they_are_in_json(fhir: httpx.AsyncClient, defect: Any, place: str | None) -> None:
    """http://hl7.org/fhir/R4/operationoutcome.html: expression is FHIRPath, whatever the format."""
    resource = defect(patient())
    body = to_xml(resource)
    # what R4 does not have, to_xml does not write
    body = body.replace(b'<family value="a"/>', b'<family value="a"/><colour value="red"/>')
    if place == "Patient.contact[1]":
        body = body.replace(b"<contact/>", b'<contact><colour value="red"/></contact>')
    in_xml = await fhir.post("Patient", content=body, headers=XML)
    in_json = await fhir.post("Patient", json=resource, headers=JSON)
    assert _told(in_xml, in_json.status_code) == in_json.json()
    assert in_xml.status_code == 422
    if place is not None:
        assert place in [where for issue in in_json.json()["issue"] for where in issue["expression"]]


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "Patient/unknown", 404),
        ("GET", "Nonsense/1", 404),
        ("GET", "Patient?gender:bogus=male", 400),
        ("GET", "Patient?_summary=bogus", 400),
        ("DELETE", "metadata", 405),
        ("GET", "Patient/1/$nonsense", 404),
    ],
)
async def test_errors_are_xml_where_xml_was_asked_for(
    fhir: httpx.AsyncClient, method: str, url: str, status: int
) -> None:
    told = _told(await fhir.request(method, url, headers=ACCEPT), status)
    assert told["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Patient",
        b"<Patient/>",
        b'{"resourceType":"Patient"}',
        b'<!DOCTYPE x [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"><birthDate value="&a;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir">text</Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><gender value="male" colour="red"/></Patient>',
        b'<Observation xmlns="http://hl7.org/fhir"><status value="final"/></Observation>',
    ],
)
async def test_a_body_that_is_no_fhir_xml_is_400_and_nothing_is_stored(fhir: httpx.AsyncClient, body: bytes) -> None:
    told = _told(await fhir.post("Patient", content=body, headers=XML), 400)
    assert told["issue"][0]["severity"] == "error"
    assert (await fhir.get("Patient?_summary=count")).json()["total"] == 0


async def test_a_format_that_is_none_of_ours_is_406_in_json(fhir: httpx.AsyncClient) -> None:
    for headers, query in (({"accept": "application/fhir+turtle"}, ""), ({}, "?_format=ttl")):
        answer = await fhir.get(f"metadata{query}", headers=headers)
        assert answer.status_code == 406
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_large_bundle_does_not_hold_up_others(fhir: httpx.AsyncClient) -> None:
    """It is converted beside the event loop; what comes back is all of it."""
    asked = bundle("batch", *(entry("POST", "Patient", patient()) for _ in range(300)))
    body = to_xml(asked)
    assert len(body) > 64 * 1024
    told = _told(await fhir.post("", content=body, headers=XML))
    assert [each["response"]["status"] for each in told["entry"]] == ["201 Created"] * 300
