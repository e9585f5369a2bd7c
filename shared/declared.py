"""Parameters of the query that a REST route does not declare are refused: a slip of the pen would else widen a list."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.errors import Unprocessable


def declared_only(request: Request) -> None:
    """A dependency of routes. Raises ``Unprocessable``; it names what is declared, and not what was sent."""
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = set(_declared(route.dependant))
    if not known.issuperset(request.query_params.keys()):
        told = f"Declared are: {', '.join(sorted(known))}." if known else "None are declared here."
        raise Unprocessable(f"A parameter that is not declared is not accepted. {told}", expression=("query",))


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _declared(each)
