"""Ingress and HTTPRoute send each request to the service that owns its type, as the gateway itself would."""

from pathlib import Path
from typing import Any

import pytest

from services.gateway.main import Gateway
from services.gateway.routing import API_PREFIXES, OWNED_TYPES, ROOTS, owner_of
from tests.deploy.k8s.rendering import Manifest, overlay, parsed, with_components
from tests.deploy.k8s.routing import destination
from tests.deploy.k8s.workloads import of_kind
from tools.kubernetes import FILES, MATCHES_PER_RULE, OVER_THE_GATEWAY

TYPES = [type_ for types in OWNED_TYPES.values() for type_ in types]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    gateway_api = with_components(tmp_path_factory.mktemp("gateway-api"), ["gateway-api"])
    found = [*of_kind(overlay("prod"), "Ingress"), *of_kind(parsed(gateway_api), "HTTPRoute")]
    assert [one["kind"] for one in found] == ["Ingress", "HTTPRoute"]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_routes_are_up_to_date(path: Path) -> None:
    assert path.read_text() == FILES[path](), "run `python -m tools.kubernetes`"


@pytest.mark.parametrize("rest", ["", "/", "/1", "/1/_history/2", "/_search", "/1/$everything"])
def test_a_type_goes_straight_to_its_owner(routes: list[Manifest], rest: str) -> None:
    for manifest in routes:
        wrong = {
            type_ for type_ in TYPES if destination(manifest, f"/fhir/{type_}{rest}") != owner_of(type_)
        } - OVER_THE_GATEWAY
        assert wrong == set()


@pytest.mark.parametrize("path", ["/fhir", "/fhir/", "/fhir/metadata", "/", "/api", "/api/nothing", "/fhirs", "/docs"])
def test_everything_else_goes_to_the_gateway(routes: list[Manifest], path: str) -> None:
    assert {destination(manifest, path) for manifest in routes} == {"gateway"}


@pytest.mark.parametrize(
    "path",
    [
        *("/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/g/$export"),
        *("/fhir/Patient/p/$everything", "/fhir/CarePlan/c/$document", "/fhir/Provenance/referrals.1"),
        *("/fhir/bulk-export/x", "/fhir/bulk-export/x/careplans-1.ndjson", "/fhir/Group/g"),
        *("/fhir/$import", "/fhir/bulk-import/x", "/fhir/bulk-import/x/careplans-1.ndjson"),
    ],
)
def test_what_all_services_have_a_part_of_goes_to_the_gateway(routes: list[Manifest], path: str) -> None:
    assert {destination(manifest, path) for manifest in routes} == {"gateway"}


@pytest.mark.parametrize("prefix", API_PREFIXES)
def test_rest_goes_to_its_service(routes: list[Manifest], prefix: str) -> None:
    for path in (f"/api/{prefix}", f"/api/{prefix}/openapi.json"):
        assert {destination(manifest, path) for manifest in routes} == {API_PREFIXES[prefix]}


@pytest.mark.parametrize("root", ROOTS)
def test_what_other_protocols_say_goes_to_its_service(routes: list[Manifest], root: str) -> None:
    for path in (f"/{root}", f"/{root}/some-service", f"/{root}/some-service/feedback"):
        assert {destination(manifest, path) for manifest in routes} == {ROOTS[root]}


def test_what_the_gateway_answers_itself_is_routed_to_it(routes: list[Manifest]) -> None:
    async def nowhere(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("no request is sent")

    own = Gateway(dict.fromkeys(OWNED_TYPES, nowhere))._own.keys()
    assert {"/fhir", "/fhir/metadata"} <= own
    for path in own:
        assert {destination(manifest, path) for manifest in routes} == {"gateway"}


def test_a_route_stays_within_the_limits_of_the_gateway_api(routes: list[Manifest]) -> None:
    rules = routes[1]["spec"]["rules"]
    assert len(rules) <= 16
    assert all(len(rule["matches"]) <= MATCHES_PER_RULE for rule in rules)


def test_a_longer_name_is_another_type(routes: list[Manifest]) -> None:
    for manifest in routes:
        assert destination(manifest, "/fhir/PractitionerRole/1") == "referrals"
        assert destination(manifest, "/fhir/Tasks") == "careplans"
