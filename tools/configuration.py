"""Writes ``docs/configuration.md`` and ``shared/doctor/known.py`` from the settings classes.

Run it with ``python -m tools.configuration``.
A field's meaning is its attribute docstring, its bounds are what pydantic checks.
"""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from shared.settings import ConsiliumSettings

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "configuration.md"
KNOWN = PROJECT / "shared" / "doctor" / "known.py"
SECRET = {"database_url", "amqp_url", "database_read_url"}
"""Plain text in the settings, but a password may be in it."""

READERS: Mapping[str, str] = {
    "ConsiliumSettings": "every process",
    "ServerSettings": "every process",
    "ProcessSettings": "the processes of services apart (`python -m services ...`)",
    "SecuritySettings": "every API process, the gateway (`CONSILIUM_PEER_KEY`), and `consilium token`",
    "TelemetrySettings": "every process",
    "CopySettings": "the workers, and `consilium run`",
    "GatewaySettings": "the gateway, and `consilium run`",
    "RetentionSettings": "the workers, and `consilium run`",
    "BulkSettings": "every API process, the gateway, and `consilium run`",
    "PlaceSettings": "referrals, API and worker, and `consilium run`",
    "ReferralRetentionSettings": "referrals, API and worker, and `consilium run`",
    "ExchangeSettings": "referrals, API and worker, and `consilium run`",
    "NotificationRetentionSettings": "the worker of notifications, and `consilium run`",
    "NotificationSettings": "notifications, API and worker, and `consilium run`",
    "ArchiveSettings": "`consilium run`, `backup`, `restore` on the embedded PostgreSQL",
}
"""Settings class -> who reads it. A class that is missing here fails the tool."""

HEAD = """# Configuration

Made by `tools/configuration.py` from the settings classes; do not edit it by hand.

Everything is an environment variable. An empty one counts as unset. A value that does not hold ends the process at its
start with a line per variable (exit code 2), without repeating the value. A `CONSILIUM_` variable that nothing reads
is told at the start, with the nearest name that there is, and by `consilium doctor`. **Secret** marks what must come
from a secret store: it is, or may contain, a password.
"""
OTHERS = """
## Read by libraries

| variable | meaning |
|---|---|
| `OTEL_EXPORTER_OTLP_ENDPOINT` | where traces, metrics and logs go (OTLP over HTTP); without it they go nowhere |
| `OTEL_EXPORTER_OTLP_*` | the exporter's other settings, as OpenTelemetry defines them; headers may be secret |
"""


def classes() -> list[type[ConsiliumSettings]]:
    """Every settings class of ours, by module and place in it."""
    for root in ("shared", "services", "consilium"):
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            parts = module.name.split(".")
            if "__main__" not in parts and "migrations" not in parts:
                importlib.import_module(module.name)
    found = {ConsiliumSettings, *_below(ConsiliumSettings)}
    ours = (one for one in found if one.__module__.split(".")[0] in ("shared", "services", "consilium"))
    return sorted(ours, key=lambda one: (list(READERS).index(one.__name__), one.__module__))


def _below(parent: type[ConsiliumSettings]) -> Iterator[type[ConsiliumSettings]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)


def own_fields(settings: type[ConsiliumSettings]) -> dict[str, FieldInfo]:
    """The fields that ``settings`` itself defines."""
    inherited = {name for parent in settings.__mro__[1:] for name in getattr(parent, "model_fields", ())}
    return {name: field for name, field in settings.model_fields.items() if name not in inherited}


def meanings(settings: type[ConsiliumSettings]) -> dict[str, str]:
    """Field -> its attribute docstring, on one line."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(settings))).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            found[field.target.id] = " ".join(after.value.value.split())
    return found


def variable(name: str) -> str:
    """The environment variable of a field."""
    return f"CONSILIUM_{name.upper()}"


def page() -> str:
    """The text of ``docs/configuration.md``."""
    sections = [HEAD]
    for settings in classes():
        fields, meaning = own_fields(settings), meanings(settings)
        if not fields:
            continue
        title = settings.__name__.removesuffix("Settings")
        sections.append(f"\n## {title}\n\n{_first_line(settings)} Read by {READERS[settings.__name__]}.\n")
        sections.append("\n| variable | type | default | meaning |\n|---|---|---|---|\n")
        for name, field in fields.items():
            secret = " **Secret.**" if _is_secret(name, field) else ""
            told = meaning[name].replace("``", "`").replace("|", "\\|")
            sections.append(f"| `{variable(name)}` | {_type(field)} | {_default(field)} | {told}{secret} |\n")
    return "".join([*sections, OTHERS])


def _first_line(settings: type[ConsiliumSettings]) -> str:
    return (settings.__doc__ or "").partition("\n")[0].replace("``", "`")


def known() -> str:
    """The text of ``shared/doctor/known.py``."""
    names = sorted({variable(name) for settings in classes() for name in settings.model_fields})
    lines = "".join(f'    "{name}",\n' for name in names)
    return (
        '"""Every variable that a process of ours reads, in whichever image: made by ``tools/configuration.py``."""\n\n'
        f"KNOWN = (\n{lines})\n"
    )


def _is_secret(name: str, field: FieldInfo) -> bool:
    return name in SECRET or SecretStr in (field.annotation, *get_args(field.annotation))


def _type(field: FieldInfo) -> str:
    bounds = [f"{sign} {value:g}" for sign, value in _bounds(field)]
    return ", ".join([_name(field.annotation), *bounds])


def _bounds(field: FieldInfo) -> Iterator[tuple[str, float]]:
    for limit in field.metadata:
        for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤")):
            if (value := getattr(limit, attribute, None)) is not None:
                yield sign, value


def _name(annotation: Any) -> str:
    if get_origin(annotation) in (UnionType,):
        return " or ".join(_name(one) for one in get_args(annotation) if one is not NoneType)
    if get_origin(annotation) is Literal:
        return " / ".join(f"`{value}`" for value in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " / ".join(f"`{one.value}`" for one in annotation)
    names = {str: "text", SecretStr: "text", Path: "path", bool: "true / false", int: "integer", float: "number"}
    if get_origin(annotation) is dict:
        return "JSON"
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    value = value.value if isinstance(value, Enum) else value
    if value is None:
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page())
    KNOWN.write_text(known())
