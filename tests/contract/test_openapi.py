"""The OpenAPI documents, from which people generate clients, say what the REST API does."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, cast, get_args, get_type_hints

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, TypeAdapter

from consilium.assembly import SERVICES
from services.careplans.api.minutes import Minutes
from services.careplans.api.safety import Answer, Snooze
from services.careplans.app.board import BoardPage
from services.careplans.app.chain import Chain
from services.careplans.app.evidence import Month, MonthPage
from services.careplans.app.revisits import RevisitPage
from services.careplans.domain.board import Listing
from services.referrals.api.bulk import Bulk
from services.referrals.api.filters import Wish
from services.referrals.api.inputs import Inputs
from services.referrals.api.notes import Said
from services.referrals.domain.actions import ACTIONS, Code
from services.referrals.domain.inputs import Name
from shared.engine import Engine
from shared.errors import Unprocessable
from shared.problem import DOCUMENTED, of_error
from shared.security.tokens import OpenVerifier
from shared.service import Service, rest_app
from shared.store.database import Pool

Operation = dict[str, Any]


def document(service: Service) -> dict[str, Any]:
    """The OpenAPI document of ``service``, which needs no database."""
    engine = Engine(service.name, service.kinds, cast(Pool, None), outgoing=service.outgoing)
    return rest_app(service, engine, OpenVerifier()).openapi()


def operations(service: Service) -> Iterator[Operation]:
    """All operations of ``service``."""
    for path in document(service)["paths"].values():
        yield from path.values()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_route_takes_a_bearer_token(service: Service) -> None:
    schemes = document(service)["components"]["securitySchemes"]
    ((name, scheme),) = schemes.items()
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    found = list(operations(service))
    assert found
    for operation in found:
        assert operation["security"] == [{name: []}], operation["operationId"]


def test_a_route_for_everybody_asks_for_no_token() -> None:
    router = APIRouter()

    @router.get("/open")
    async def everybody() -> str:
        return "welcome"

    some = SERVICES[0]
    (operation,) = operations(Service(some.name, some.kinds, some.migrations, routers=(router,)))
    assert "security" not in operation


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_error_is_documented_as_a_problem(service: Service) -> None:
    for operation in operations(service):
        assert "422" not in operation["responses"], "FastAPI's own shape is not what is answered"
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", ["/api/referrals", "/api/plans"])
def test_a_patient_may_be_named_by_reference_or_by_id(path: str) -> None:
    (found,) = [paths[path]["get"] for each in SERVICES if path in (paths := document(each)["paths"])]
    (patient,) = [each for each in found["parameters"] if each["name"] == "patient"]
    assert "`Patient/[id]`, or the id alone" in patient["description"]


def test_statuses_may_come_by_commas() -> None:
    (found,) = [
        paths["/api/referrals"]["get"] for each in SERVICES if "/api/referrals" in (paths := document(each)["paths"])
    ]
    told = {each["name"]: each["description"] for each in found["parameters"] if each["schema"].get("type") == "array"}
    assert told.keys() == {"status", "business_status"}
    assert all("by commas or repeated" in text for text in told.values())


def test_every_action_has_an_example_that_its_inputs_take() -> None:
    (found,) = [
        paths[path]["post"]
        for each in SERVICES
        if (path := "/api/referrals/{task_id}/actions/{action}") in (paths := document(each)["paths"])
    ]
    examples = found["requestBody"]["content"]["application/json"]["examples"]
    assert list(examples) == [code.value for code in Code]
    for code, example in examples.items():
        given = Inputs.model_validate(example["value"]).given()
        action = ACTIONS[Code(code)]
        assert {name for name, required in action.takes if required} <= given.keys()
        assert given.keys() <= {*dict(action.takes), Name.REASON, Name.STATE, Name.COMMENT}


@pytest.mark.parametrize(("action", "model"), [("acknowledge", Answer), ("snooze", Snooze), ("resolve", Answer)])
def test_every_example_of_an_answer_to_a_finding_is_taken(action: str, model: type[BaseModel]) -> None:
    path = f"/api/plans/{{plan_id}}/safety/{{issue}}/{action}"
    (found,) = [paths[path]["post"] for each in SERVICES if path in (paths := document(each)["paths"])]
    examples = found["requestBody"]["content"]["application/json"]["examples"]
    assert examples
    for example in examples.values():
        assert model.model_validate(example["value"])


def of_referrals(method: str, path: str) -> Operation:
    """An operation of referrals, by its path below ``/api/referrals``."""
    (found,) = [
        paths[f"/api/referrals{path}"][method]
        for each in SERVICES
        if f"/api/referrals{path}" in (paths := document(each)["paths"])
    ]
    return cast(Operation, found)


@pytest.mark.parametrize(
    ("method", "path", "model"),
    [("post", "/bulk", Bulk), ("post", "/{task_id}/notes", Said), ("put", "/filters/{name}", Wish)],
)
def test_every_example_is_taken(method: str, path: str, model: type[BaseModel]) -> None:
    examples = of_referrals(method, path)["requestBody"]["content"]["application/json"]["examples"]
    assert examples
    for example in examples.values():
        assert model.model_validate(example["value"])


def test_examples_of_bulk_requests_have_the_inputs_of_their_action() -> None:
    examples = of_referrals("post", "/bulk")["requestBody"]["content"]["application/json"]["examples"]
    for example in examples.values():
        bulk = Bulk.model_validate(example["value"])
        takes = dict(ACTIONS[bulk.action].takes)
        assert {name for name, required in takes.items() if required} <= bulk.inputs.given().keys()


@pytest.mark.parametrize(
    ("path", "status"), [("/bulk", None), ("/{task_id}/notes", "201"), ("/{task_id}/actions/{action}", "200")]
)
def test_where_a_key_is_taken_is_told(path: str, status: str | None) -> None:
    operation = of_referrals("post", path)
    (key,) = [each for each in operation["parameters"] if each["name"] == "idempotency-key"]
    assert (key["in"], key["required"]) == ("header", False)
    if status is not None:
        assert operation["responses"][status]["headers"].keys() == {"ETag", "Idempotency-Replayed"}


def test_a_problem_is_as_documented() -> None:
    schema = DOCUMENTED["content"]["application/problem+json"]["schema"]
    answered = json.loads(bytes(of_error(Unprocessable("It breaks a rule.", expression=("query.status",))).body))
    assert set(schema["required"]) <= set(answered) <= set(schema["properties"])
    issue = schema["properties"]["issues"]["items"]
    assert set(answered["issues"][0]) == set(issue["required"]) == set(issue["properties"])


def of_plans(method: str, path: str) -> Operation:
    """An operation of careplans, by its path below ``/api/plans``."""
    (found,) = [
        paths[f"/api/plans{path}"][method]
        for each in SERVICES
        if f"/api/plans{path}" in (paths := document(each)["paths"])
    ]
    return cast(Operation, found)


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/board", BoardPage),
        ("/board/counts", dict[Listing, int]),
        ("/revisits", RevisitPage),
        ("/evidence", MonthPage),
        ("/{plan_id}/evidence", Month),
        ("/{plan_id}/chain", Chain),
    ],
)
def test_every_answer_of_a_coordinators_list_has_an_example_that_is_one(path: str, model: Any) -> None:
    examples = of_plans("get", path)["responses"]["200"]["content"]["application/json"]["examples"]
    assert examples
    for example in examples.values():
        whole = with_nulls(example["value"], model)
        said = TypeAdapter(model).validate_python(whole)
        assert TypeAdapter(model).dump_python(said, mode="json") == whole, "nothing is unknown"


def with_nulls(value: Any, hint: Any) -> Any:
    """``value`` with the nulls of its dataclass: FastAPI leaves them out of the document."""
    if isinstance(value, list):
        return [with_nulls(each, get_args(hint)[0]) for each in value]
    types = [each for each in (hint, *get_args(hint)) if is_dataclass(each)]
    if not isinstance(value, dict) or not types:
        return value
    hints = get_type_hints(types[0])
    known = {field.name: with_nulls(value.get(field.name), hints[field.name]) for field in fields(types[0])}
    return known | {name: each for name, each in value.items() if name not in known}


def test_every_example_of_minutes_is_taken() -> None:
    operation = of_plans("post", "/{plan_id}/minutes")
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) == 2
    for example in examples.values():
        assert Minutes.model_validate(example["value"])
    (key,) = [each for each in operation["parameters"] if each["name"] == "idempotency-key"]
    assert (key["in"], key["required"]) == ("header", False)
    assert operation["responses"]["201"]["headers"].keys() == {"Idempotency-Replayed"}
