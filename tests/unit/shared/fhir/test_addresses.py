"""Which URLs name a resource of this server."""

import pytest

from shared.fhir.addresses import Base, below, may_hold_url

BASE = "http://host:8080/fhir"
LOCAL = "http://localhost:8080/fhir"


@pytest.mark.parametrize(
    ("reference", "relative"),
    [
        (f"{BASE}/Patient/p1", "Patient/p1"),
        (f"{BASE}/Patient/p1/_history/3", "Patient/p1/_history/3"),
        ("Patient/p1", None),
        ("http://host:8080/fhir2/Patient/p1", None),
        ("http://host:8080/fhirPatient/p1", None),
        ("http://host:8080/FHIR/Patient/p1", None),
        ("http://host:8081/fhir/Patient/p1", None),
        ("http://host/fhir/Patient/p1", None),
        ("http://elsewhere/fhir/Patient/p1", None),
        ("ftp://host:8080/fhir/Patient/p1", None),
        ("http://host:port/fhir/Patient/p1", None),
        ("http://[host:8080/fhir/Patient/p1", None),
        (f"{BASE}/a/Patient/p1", None),
        (f"{BASE}/Patient", None),
        (f"{BASE}/Patient?identifier=1", None),
        (f"{BASE}", None),
        ("http:", None),
        ("#p1", None),
        ("urn:uuid:0f3c3a5e-0000-4000-8000-000000000001", None),
    ],
)
def test_only_a_resource_below_the_base_has_a_relative_form(reference: str, relative: str | None) -> None:
    assert below(BASE, reference) == relative


@pytest.mark.parametrize(
    "reference",
    [
        "https://host:8080/fhir/Patient/p1",
        "HTTP://HOST:8080/fhir/Patient/p1",
        "http://host.:8080/fhir/Patient/p1",
        "http://somebody@host:8080/fhir/Patient/p1",
        "http://h%6fst:8080/fhir/Patient/p1",
        "http://host:08080/fhir/Patient/p1",
        "http://host:8080//fhir//Patient/p1",
        "http://host:8080/fhir/./Patient/./p1/",
        "http://host:8080/a/../fhir/Patient/../Patient/p1",
        "http://host:8080/%66hir/Pat%69ent%2Fp1",
        "http:\\\\host:8080\\fhir\\Patient\\p1",
        "http://host:8080/fhir/Patient/p1\n",
    ],
)
def test_other_spellings_of_the_base_mean_the_same(reference: str) -> None:
    assert below(BASE, reference) == "Patient/p1"


@pytest.mark.parametrize("rest", ["Patient/p1?a", "Patient/p1#a", "Patient/p1/_history", "Patient/p1/$everything"])
def test_what_is_more_than_a_reference_is_relative_with_the_rest_for_validation_to_refuse(rest: str) -> None:
    assert below(BASE, f"{BASE}/{rest}") == rest


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "127.0.0.1", "127.9.9.9", "127.1", "2130706433", "[::1]"])
@pytest.mark.parametrize("own", ["localhost", "127.0.0.1", "[::1]"])
def test_all_names_of_loopback_are_one_host_per_port(own: str, host: str) -> None:
    assert below(f"http://{own}:8080/fhir", f"http://{host}:8080/fhir/Patient/p1") == "Patient/p1"
    assert below(f"http://{own}:8080/fhir", f"http://{host}:8081/fhir/Patient/p1") is None
    assert below(BASE, f"http://{host}:8080/fhir/Patient/p1") is None


@pytest.mark.parametrize("host", ["[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "0.0.0.0"])
def test_so_are_their_longer_forms(host: str) -> None:
    assert below(LOCAL, f"http://{host}:8080/fhir/Patient/p1") == "Patient/p1"


@pytest.mark.parametrize(
    "base", ["http://care.example/fhir", "https://care.example:443/fhir", "http://care.example:80/fhir"]
)
@pytest.mark.parametrize(
    "host", ["http://care.example", "https://care.example", "https://care.example:443", "http://care.example:"]
)
def test_default_ports_are_one(base: str, host: str) -> None:
    assert below(base, f"{host}/fhir/Patient/p1") == "Patient/p1"


def test_a_base_knows_other_urls_of_the_server_and_reads_as_its_own() -> None:
    base = Base(LOCAL, "https://care.example/pain/fhir")
    assert f"{base}/x" == f"{LOCAL}/x"
    assert below(base, f"{LOCAL}/Patient/p1") == "Patient/p1"
    assert below(base, "https://care.example/pain/fhir/Patient/p1") == "Patient/p1"
    assert below(base, "https://care.example/fhir/Patient/p1") is None


@pytest.mark.parametrize(
    ("body", "may"),
    [
        (b'{"reference":"http://host:8080/fhir/Patient/p1"}', True),
        (b'{"reference" :\n "HTTPS://host:8080/fhir/Patient/p1"}', True),
        (rb'{"reference":"http:\/\/host:8080\/fhir\/Patient\/p1"}', True),
        (rb'{"reference":"\u0068ttp://host:8080/fhir/Patient/p1"}', True),
        (rb'{"\u0072eference":"http://host:8080/fhir/Patient/p1"}', True),
        (b'{"reference":"Patient/p1"}', False),
        (b'{"system":"http://host:8080/fhir/Patient/p1"}', False),
        (rb'{"text":"a line\nand \"another\""}', False),
    ],
)
def test_a_body_that_refers_to_no_url_is_known_by_its_bytes(body: bytes, may: bool) -> None:
    assert may_hold_url(body) is may
