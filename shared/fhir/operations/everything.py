"""Patient/[id]/$everything (http://hl7.org/fhir/R4/operation-patient-everything.html): the patient, the compartment,
and what these refer to.

Every service answers for what it owns, also where it does not own the patient; the edge joins the answers. Resources
come by type and row number, each once; the page's includes are what its matches refer to outside the compartment.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from shared.engine import Engine
from shared.errors import Gone, Invalid, NotFound
from shared.fhir.compartment import care_date, patient_compartment, places
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.http import Request, Response
from shared.fhir.json import dumps, loads, received
from shared.fhir.operations.operation import Level, Operation
from shared.fhir.parameters import parameters_in
from shared.fhir.references import references
from shared.fhir.search.access import condition
from shared.fhir.search.instants import moment, span
from shared.fhir.search.params.reference import local
from shared.store import resources
from shared.store.condition import Condition, as_column
from shared.store.indexing import EARLIEST, LATEST
from shared.store.resources import Stored
from shared.store.size import MOST_BYTES, within

DEFAULT_COUNT = 200
LARGEST_COUNT = 1_000
MOST_INCLUDED = 2_000
CURSOR = "_cursor"
_ALWAYS = moment(EARLIEST)
_cursor = msgspec.json.Decoder(tuple[int, int])
# a resource is shown at the first of its ways into the compartment; the inner LIMIT ends each walk along index_term
_PAGE = (
    "SELECT f.place, f.rid, f.type, f.id, f.version, f.last_updated, {body} FROM ("
    "SELECT w.place, r.rid, r.type, r.id, r.version, r.last_updated, r.body"
    " FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w(type, term, place) CROSS JOIN LATERAL ("
    "SELECT r.* FROM index_term d JOIN LATERAL"
    " (SELECT * FROM resource r WHERE r.type = w.type AND r.rid = d.rid OFFSET 0) r ON true"
    " WHERE d.term = w.term AND (w.place > $3::bigint OR d.rid > $4::bigint) AND NOT r.deleted"
    " AND NOT r.terms && ($2::bigint[])[: w.place - 1] AND r.last_updated >= $5::timestamptz"
    " AND ($6::bigint IS NULL"
    " OR NOT EXISTS (SELECT FROM index_date c WHERE c.rid = r.rid AND c.param = ANY ($8::bigint[]))"
    " OR EXISTS (SELECT FROM index_date c WHERE c.rid = r.rid AND c.param = ANY ($8::bigint[])"
    " AND c.low < $7::bigint AND c.high > $6::bigint)) AND {shown}"
    " ORDER BY d.rid LIMIT $9::int) r WHERE w.place >= $3::bigint ORDER BY w.place, r.rid LIMIT $9::int) f"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The operation's parameters."""

    types: frozenset[str] = frozenset()
    """None: all."""
    since: datetime = _ALWAYS
    care: tuple[int, int] | None = None
    """Care in [start, end), microseconds since 1970."""
    count: int = DEFAULT_COUNT
    cursor: tuple[int, int] = (0, 0)
    """The place in the compartment and the row number that the page before ended with."""
    applied: tuple[tuple[str, str], ...] = ()

    def wants(self, type_: str) -> bool:
        """Whether resources of ``type_`` are asked for."""
        return not self.types or type_ in self.types


async def everything(engine: Engine, request: Request) -> Response:
    """200 with a page of the searchset; 404 or 410 as ``read``, where this service owns patients."""
    _, patient, _ = request.path
    asked = _asked(_parameters(request))
    access = engine.access(request.caller)
    owned = sorted(kind.type for kind in engine.kinds)
    entries: list[bytes] = []
    base = request.base
    if "Patient" in engine.kinds:
        stored = await resources.read(engine.pool, "Patient", patient, seen=condition(access, ("Patient",)))
        if stored is None:
            raise NotFound("No such resource.")
        if stored.deleted:
            raise Gone("The resource was deleted.")
        if asked.cursor == (0, 0) and asked.wants("Patient"):
            entries.append(_entry(base, stored, "match"))
    wanted = [type_ for type_ in owned if asked.wants(type_)]
    ways = places(wanted, patient)
    rows, following = await _page(engine, ways, asked, condition(access, wanted))
    # a patient may be linked to itself
    matches = [stored for stored in rows if (stored.type, stored.id) != ("Patient", patient)]
    entries += [_entry(base, stored, "match") for stored in matches]
    if not asked.types:
        seen = condition(access, owned)
        entries += [_entry(base, stored, "include") for stored in await _referred(engine, matches, seen)]
    here = f"{base}/Patient/{patient}/$everything"
    links = [_link("self", here, asked.applied)]
    if following is not None:
        links.append(_link("next", here, (*asked.applied, (CURSOR, _encode(following)))))
    head = dumps({"resourceType": "Bundle", "type": "searchset", "link": links})[:-1]
    return Response(200, head + (b',"entry":[' + b",".join(entries) + b"]}" if entries else b"}"))


async def _page(
    engine: Engine, ways: Sequence[tuple[str, int]], asked: Asked, seen: Condition | None
) -> tuple[list[Stored], tuple[int, int] | None]:
    dates = [key for type_ in {type_ for type_, _ in ways} if (key := care_date(type_)) is not None]
    low, high = asked.care or (None, None)
    shown, more = as_column(seen, 10)
    text = _PAGE.format(body=within("f.body", MOST_BYTES), shown=shown)
    rows = await engine.pool.fetch(
        text,
        [type_ for type_, _ in ways],
        [term for _, term in ways],
        *asked.cursor,
        asked.since,
        low,
        high,
        dates,
        asked.count + 1,
        *more,
    )
    kept = [row for row in rows[: asked.count] if row["body"] is not None]
    found = [Stored(row[2], row[3], row[4], row[5], False, row[6]) for row in kept]
    return found, (kept[-1]["place"], kept[-1]["rid"]) if kept and len(rows) > len(kept) else None


async def _referred(engine: Engine, matches: Sequence[Stored], seen: Condition | None) -> list[Stored]:
    """What ``matches`` refer to in this service outside any patient's compartment, and what that refers to, each once.

    Raises ``Invalid`` (too costly) for more than ``MOST_INCLUDED``."""
    found: dict[tuple[str, str], Stored] = {}
    waiting: Sequence[Stored] = matches
    known = {(stored.type, stored.id) for stored in matches}
    while waiting:
        named = {
            target for each in waiting for reference in references(loads(each.body)) if (target := local(reference))
        }
        wanted = {key for key in named - known if key[0] in engine.kinds and key[0] not in patient_compartment()}
        known |= wanted
        if len(found) + len(wanted) > MOST_INCLUDED:
            raise Invalid("A page refers to too many resources; ask for fewer per page.", code="too-costly")
        waiting = await resources.read_many(engine.pool, wanted, seen=seen) if wanted else []
        waiting = [stored for stored in waiting if not stored.deleted]
        found |= {(stored.type, stored.id): stored for stored in waiting}
    return list(found.values())


def _parameters(request: Request) -> list[tuple[str, str]]:
    """Those of the query, and of a Parameters resource in the body of a POST. Raises ``Invalid``."""
    found = request.parameters
    resource = request.resource if request.resource is not None else (received(request.body) if request.body else None)
    if resource is None:
        return found
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
    for number, parameter in enumerate(parameters_in(resource)):
        where = (f"Parameters.parameter[{number}]",)
        values = [value for name, value in parameter.items() if name.startswith("value")]
        if not isinstance(parameter.get("name"), str) or len(values) != 1 or not isinstance(values[0], str | int):
            raise Invalid("A parameter has a name and one simple value.", code="value", expression=where)
        found.append((parameter["name"], str(values[0])))
    return found


def _asked(parameters: Sequence[tuple[str, str]]) -> Asked:
    """Raises ``Invalid`` for a malformed value; unknown parameters are left out."""
    types: set[str] = set()
    given: dict[str, str] = {}
    applied: list[tuple[str, str]] = []
    for name, value in parameters:
        if name == "_type":
            types |= set(value.split(","))
        elif name in ("start", "end", "_since", "_count", CURSOR):
            given[name] = value
        else:
            continue
        if name != CURSOR:
            applied.append((name, value))
    if not types <= RESOURCE_TYPES:
        raise Invalid("The parameter _type takes resource types, separated by commas.", code="value")
    count = given.get("_count", str(DEFAULT_COUNT))
    if not (count.isascii() and count.isdigit() and len(count) < 20 and int(count)):
        raise Invalid("The parameter _count takes a whole number from 1.", code="value")
    care = None
    if "start" in given or "end" in given:
        low = _span(given["start"])[0] if "start" in given else EARLIEST
        care = (low, _span(given["end"])[1] if "end" in given else LATEST)
    return Asked(
        frozenset(types),
        moment(_span(given["_since"])[0]) if "_since" in given else _ALWAYS,
        care,
        min(int(count), LARGEST_COUNT),
        _decode(given[CURSOR]) if CURSOR in given else (0, 0),
        tuple(applied),
    )


def _span(text: str) -> tuple[int, int]:
    try:
        return span(text.replace(" ", "+"))
    except ValueError:
        raise Invalid("The parameters start, end and _since take dates.", code="value") from None


def _encode(cursor: tuple[int, int]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _decode(token: str) -> tuple[int, int]:
    try:
        place, rid = _cursor.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if 0 < place < 2**31 and 0 <= rid < 2**63:
            return place, rid
    except (ValueError, binascii.Error, msgspec.DecodeError):
        pass
    raise Invalid("The page token is not one of this operation.", code="value")


def _entry(base: str, stored: Stored, mode: str) -> bytes:
    head = dumps({"fullUrl": f"{base}/{stored.type}/{stored.id}"})[:-1]
    return head + b',"resource":' + stored.body + b',"search":{"mode":"' + mode.encode() + b'"}}'


def _link(relation: str, url: str, parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {"relation": relation, "url": f"{url}?{urlencode(parameters, safe=':,/')}" if parameters else url}


EVERYTHING = Operation(
    name="everything",
    definition="http://hl7.org/fhir/OperationDefinition/Patient-everything",
    levels=frozenset({Level.INSTANCE}),
    run=everything,
    types=frozenset({"Patient"}),
    in_parts=True,
)
