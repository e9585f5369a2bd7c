"""The fields of the ``fhir.resources`` models of R4B as one schema per resource type, without the models themselves.

A model makes an object of Python for every element and asks three validators of its own about each, all of which the
walk has answered already; what is left are the fields with their types, and pydantic checks those about fifteen times
faster (ADR 0005) when they stand in one schema (https://docs.pydantic.dev/latest/api/pydantic_core_schema/).
"""

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_args

from fhir.resources.R4B.extension import Extension
from fhir_core.types import FhirBase, FhirElementOrResourceBase
from pydantic import BaseModel
from pydantic_core import CoreSchema, SchemaValidator
from pydantic_core import core_schema as core


@cache
def model(type_: str) -> type[BaseModel]:
    """The model class of a type, imported at first use (tens of milliseconds)."""
    module = importlib.import_module(f"fhir.resources.R4B.{type_.lower()}")
    found: type[BaseModel] = getattr(module, type_)
    return found


@cache
def model_schema(type_: str) -> SchemaValidator:
    """What checks a whole ``type_``, the resources in it included; raises ``pydantic.ValidationError``."""
    parts: dict[str, type[BaseModel]] = {}
    pending = [model(type_)]
    while pending:
        part = pending.pop()
        if part.__name__ not in parts:
            parts[part.__name__] = part
            pending.extend(_parts(part))
    return SchemaValidator(
        core.definitions_schema(core.definition_reference_schema(type_), [_schema(part) for part in parts.values()])
    )


def _parts(part: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models of the complex elements right below."""
    for field in part.model_fields.values():
        complex_type = _complex_type(field.annotation)
        if complex_type is not None and _own_schema(complex_type) is None:
            yield complex_type.get_model_klass()


@cache
def _schema(part: type[BaseModel]) -> CoreSchema:
    """One model's fields, by their names in JSON. The walk has refused names that are not R4's."""
    own: Any = part.__pydantic_core_schema__
    while own["type"] != "model-fields":
        own = own["schema"]
    fields = {}
    for name, field in part.model_fields.items():
        schema = own["fields"][name]["schema"]
        complex_type = _complex_type(field.annotation)
        if complex_type is not None:
            schema = _around(schema, _element(complex_type))
        if schema["type"] == "default":
            schema = schema["schema"]
        fields[field.alias or name] = core.typed_dict_field(schema, required=field.is_required())
    return core.typed_dict_schema(fields, ref=part.__name__)


def _complex_type(annotation: Any) -> type[FhirBase] | None:
    """``PeriodType`` of ``Optional[List[PeriodType]]``; None where the element is primitive."""
    if isinstance(annotation, type) and issubclass(annotation, FhirBase):
        return annotation
    return next(filter(None, map(_complex_type, get_args(annotation))), None)


def _element(complex_type: type[FhirBase]) -> CoreSchema:
    own = _own_schema(complex_type)
    if own is not None:
        return core.no_info_plain_validator_function(own)
    return core.definition_reference_schema(complex_type.get_model_klass().__name__)


def _own_schema(complex_type: type[FhirBase]) -> Callable[[Any], Any] | None:
    """How an element is checked that is no part of the schema around it; None for all others."""
    if issubclass(complex_type, FhirElementOrResourceBase):
        return _nested_resource
    # an extension may hold every data type: were it a part of each schema, each would hold them all (0.5 MB)
    return _extension if complex_type.get_model_klass() is Extension else None


def _nested_resource(resource: Any) -> Any:
    """A contained resource, an entry of a Bundle, a parameter."""
    return model_schema(resource["resourceType"]).validate_python(resource)


def _extension(extension: Any) -> Any:
    return model_schema("Extension").validate_python(extension)


def _around(schema: Any, element: CoreSchema) -> Any:
    """``schema``, optional or a list or both, with ``element`` for what the model made of one element."""
    if schema["type"] in ("default", "nullable"):
        return {**schema, "schema": _around(schema["schema"], element)}
    if schema["type"] == "list":
        return {**schema, "items_schema": _around(schema["items_schema"], element)}
    return element
