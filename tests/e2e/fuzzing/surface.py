"""Requests over the whole FHIR surface, drawn from the CapabilityStatement by a seed."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from tests.e2e.fuzzing.material import IDS, SEEDS, TEXTS, TYPES, Resource, resource, scalar, value

JSON, XML = "application/fhir+json", "application/fhir+xml"
VALUES: Mapping[str, tuple[str, ...]] = {
    "date": ("2024", "ge2020-01", "lt2025-02-03T10:00:00Z", "ap2026", "ne2026-01-01", "sa2020", "eb2030-12-31"),
    "number": ("1", "gt0.5", "le1e3", "ap7", "ne-2"),
    "quantity": ("5|http://unitsofmeasure.org|mg", "gt2", "ap5.40", "3||kg", "le1e2|x"),
    "reference": ("Patient/p1", "p1", "Organization/o1", "http://example.org/fhir/Patient/x", "urn:uuid:1", "#a"),
    "string": ("Night", "ró", "x,y", "a\\,b"),
    "token": ("active", "http://loinc.org|91147-9", "|x", "urn:oid:1.2.3|", "true", "a,b"),
    "uri": ("http://example.org/vs", "urn:oid:1.2.3"),
    "composite": ("91147-9$5", "a$b", "a$gt2,b$3"),
    "special": ("1|2|3", "x"),
}
MODIFIERS = ("", "", "", ":missing", ":not", ":exact", ":contains", ":text", ":in", ":below", ":above", ":identifier")
MODIFIERS += (":of-type", ":Patient", ":not-in", ":nonsense", ":iterate")
ACCEPTED = (JSON, XML, "*/*", "application/json", "text/html", "application/fhir+json;q=0", "nonsense", "")
SENT = (JSON, XML, "application/json-patch+json", "application/merge-patch+json", "application/json", "text/plain", "")


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    url: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Surface:
    """Everything that a CapabilityStatement claims, as a source of requests."""

    def __init__(self, statement: Resource) -> None:
        (rest,) = statement["rest"]
        self._resources = {one["type"]: one for one in rest["resource"]}
        self._operations = [one["name"] for one in rest.get("operation", ())]

    def request(self, random: Random) -> Asked:
        """The next one."""
        draw = random.choice(
            (self._read, self._search, self._search, self._write, self._patch, self._bundle, self._ask)
        )
        made = draw(random)
        return Asked(made.method, made.url, made.body, made.headers | self._headers(random))

    def _type(self, random: Random) -> str:
        if random.random() < 0.8:
            return random.choice(TYPES)
        return random.choice((random.choice(list(self._resources)), quote(random.choice(TEXTS), safe="")))

    def _id(self, random: Random) -> str:
        return random.choice(IDS) if random.random() < 0.8 else quote(random.choice(TEXTS), safe="") or "x"

    def _path(self, random: Random) -> str:
        return f"{self._type(random)}/{self._id(random)}"

    def _read(self, random: Random) -> Asked:
        tail = random.choice(("", "", "/_history", "/_history/1", "/_history/999", "/_history/x", "/_search"))
        head = random.choice((self._path(random), self._path(random), self._type(random), ""))
        query = urlencode(self._results(random)) if random.random() < 0.4 else ""
        method = random.choice(("GET", "GET", "GET", "HEAD", "OPTIONS"))
        return Asked(method, f"{head}{tail}" + (f"?{query}" if query else ""))

    def _parameter(self, random: Random, type_: str) -> tuple[str, str, str]:
        """(name, kind, one target) of a search parameter of ``type_``, often of one that it has."""
        known = self._resources.get(type_, {}).get("searchParam", ())
        if not known or random.random() < 0.05:
            return random.choice(TEXTS), "token", ""
        told = random.choice(known)
        return told["name"], told["type"], random.choice(TYPES)

    def _criterion(self, random: Random, type_: str) -> tuple[str, str]:
        name, kind, target = self._parameter(random, type_)
        match random.randrange(12):
            case 0 if kind == "reference":
                inner, kind, _ = self._parameter(random, target)
                name = f"{name}:{target}.{inner}" if random.random() < 0.5 else f"{name}.{inner}"
            case 1:
                source = random.choice(TYPES)
                link, inner = self._parameter(random, source)[0], self._parameter(random, source)
                name, kind = f"_has:{source}:{link}:{inner[0]}", inner[1]
            case _:
                name += random.choice(MODIFIERS)
        if name.endswith(":missing"):
            return name, random.choice(("true", "false", "x"))
        texts = VALUES.get(kind, TEXTS) if random.random() < 0.85 else TEXTS
        return name, ",".join(random.choice(texts) for _ in range(random.choice((1, 1, 1, 2))))

    def _results(self, random: Random) -> list[tuple[str, str]]:
        type_, source = random.choice(TYPES), random.choice(TYPES)
        link, name = self._parameter(random, source)[0], self._parameter(random, type_)[0]
        iterate = random.choice(("", "", ":iterate"))
        return random.sample(
            [
                ("_count", random.choice(("0", "1", "5", "1000", "-1", "x", "9" * 30))),
                ("_sort", random.choice((name, f"-{name}", f"{name},-_lastUpdated", "_id", "x"))),
                ("_summary", random.choice(("true", "text", "data", "count", "false", "x"))),
                ("_elements", random.choice(("id", "status,subject", f"{type_}.meta", "", "x.y.z"))),
                ("_total", random.choice(("none", "estimate", "accurate", "x"))),
                (
                    f"_include{iterate}",
                    random.choice((f"{source}:{link}", f"{source}:{link}:{type_}", "*", f"{source}:*")),
                ),
                (f"_revinclude{iterate}", random.choice((f"{source}:{link}", "Provenance:target", "*"))),
                ("_lastUpdated", random.choice(("gt2020", "lt2020-01-01T00:00:00Z", "x"))),
                ("_since", random.choice(("2020-01-01T00:00:00Z", "2020", "x"))),
                ("_at", random.choice(("2026", "ge2026-01", "x"))),
                ("_format", random.choice(("json", "xml", JSON, "html"))),
                ("_pretty", random.choice(("true", "x"))),
                ("_cursor", random.choice(("x", "W10", base64.b64encode(b"[[],[],0,null]").decode()))),
                ("_id", random.choice(IDS)),
                ("_tag", random.choice(("a|b", "|", "x"))),
                ("_list", random.choice(("1", "$current-allergies"))),
                ("_text", "x"),
                ("_filter", "name eq x"),
                (random.choice(TEXTS), random.choice(TEXTS)),
            ],
            random.choice((0, 1, 2)),
        )

    def _query(self, random: Random, type_: str) -> str:
        pairs = [self._criterion(random, type_) for _ in range(random.choice((0, 1, 1, 2, 3)))]
        return urlencode([*pairs, *self._results(random)])

    def _search(self, random: Random) -> Asked:
        type_ = self._type(random)
        query = self._query(random, type_)
        if random.random() < 0.2:
            form = {"content-type": random.choice(("application/x-www-form-urlencoded", JSON, ""))}
            return Asked("POST", f"{type_}/_search", query.encode(), form)
        return Asked("GET", f"{type_}?{query}")

    def _body(self, random: Random, content: Any) -> tuple[bytes, dict[str, str]]:
        text = json.dumps(content, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
        if random.random() < 0.05:
            cut = random.randrange(len(text) + 1)
            text = text[:cut] + random.choice((b"", b"\xff", b"\x00", b"<x/>")) + text[cut + 1 :]
        media = JSON if random.random() < 0.9 else random.choice(SENT)
        if random.random() < 0.1:
            text, media = xml(random, content), XML
        return text, {"content-type": media} if media else {}

    def _write(self, random: Random) -> Asked:
        type_ = self._type(random)
        content = resource(random, type_)
        body, headers = self._body(random, content if random.random() < 0.95 else value(random))
        match random.randrange(6):
            case 0:
                return Asked("POST", type_, body, headers)
            case 1:
                exist = quote(self._query(random, type_), safe="=&:,|")
                return Asked("POST", type_, body, headers | {"if-none-exist": exist})
            case 2:
                return Asked("PUT", f"{type_}?{self._query(random, type_)}", body, headers)
            case 3 if random.random() < 0.3:
                where = self._path(random) if random.random() < 0.7 else f"{type_}?{self._query(random, type_)}"
                return Asked("DELETE", where)
        return Asked("PUT", f"{type_}/{content.get('id') or self._id(random)}", body, headers)

    def _patch(self, random: Random) -> Asked:
        path = self._path(random) if random.random() < 0.9 else f"Patient?{self._query(random, 'Patient')}"
        content, media = _patches(random)
        return Asked("PATCH", path, json.dumps(content).encode(), {"content-type": media})

    def _bundle(self, random: Random) -> Asked:
        entries = [self._entry(random) for _ in range(random.randrange(6))]
        kind = random.choice(("transaction", "transaction", "batch", "batch", "message", "collection", "x"))
        content: Any = {"resourceType": "Bundle", "type": kind, "entry": entries}
        body, headers = self._body(random, content)
        return Asked("POST", "", body, headers)

    def _entry(self, random: Random) -> Any:
        if random.random() < 0.05:
            return value(random)
        draw = random.choice((self._read, self._search, self._write, self._write, self._patch))
        asked = draw(random)
        told: dict[str, Any] = {"method": asked.method, "url": asked.url}
        if "if-none-exist" in asked.headers:
            told["ifNoneExist"] = asked.headers["if-none-exist"]
        if random.random() < 0.1:
            told[random.choice(("ifMatch", "ifNoneMatch", "ifModifiedSince"))] = random.choice(TEXTS)
        made: dict[str, Any] = {"request": told}
        if asked.body:
            made["resource"] = resource(random, asked.url.partition("?")[0].partition("/")[0])
        if asked.method == "PATCH":
            data = base64.b64encode(asked.body).decode()
            made["resource"] = {"resourceType": "Binary", "contentType": asked.headers["content-type"], "data": data}
        if random.random() < 0.5:
            made["fullUrl"] = random.choice(("urn:uuid:1", "urn:uuid:2", "http://test/fhir/Patient/p1", "x"))
        return made

    def _ask(self, random: Random) -> Asked:
        type_ = self._type(random)
        of_type = [one["name"] for one in self._resources.get(type_, {}).get("operation", ())]
        name = random.choice([*of_type, *self._operations, "nonsense", "everything", "validate", "meta", "export"])
        head = random.choice(("", f"{type_}/", f"{type_}/{self._id(random)}/"))
        if random.random() < 0.5:
            return Asked("GET", f"{head}${name}?{urlencode(self._results(random))}")
        content: Any = {"resourceType": "Parameters", "parameter": [_part(random) for _ in range(random.randrange(3))]}
        body, headers = self._body(random, content if random.random() < 0.7 else resource(random))
        return Asked("POST", f"{head}${name}", body, headers)

    def _headers(self, random: Random) -> dict[str, str]:
        few = {
            "if-match": random.choice(('W/"1"', '"2"', "*", "x", 'W/"' + "9" * 30 + '"')),
            "if-none-match": random.choice(('W/"1"', "*", "x")),
            "if-modified-since": random.choice(("Fri, 27 Nov 2026 10:00:00 GMT", "x")),
            "prefer": random.choice(
                ("return=minimal", "return=OperationOutcome", "return=x", "handling=strict", "handling=lenient", ";;=")
            ),
            "accept": random.choice(ACCEPTED),
            "cache-control": "no-cache",
            "x-provenance": random.choice(('{"resourceType":"Provenance"}', "{", "x" * 100)),
        }
        return {name: few[name] for name in random.sample(sorted(few), random.choice((0, 0, 1, 2)))}


def _part(random: Random) -> Any:
    names = ("resource", "mode", "profile", "meta", "patient", "_type", "_since", random.choice(TEXTS))
    kind = random.choice(("valueString", "valueCode", "valueUri", "valueMeta", "resource", "part", "valueReference"))
    return {"name": random.choice(names), kind: resource(random) if kind == "resource" else value(random)}


def _patches(random: Random) -> tuple[Any, str]:
    paths = ("/gender", "/name/0/given/-", "/name/-1", "", "/", "/active", "/meta/versionId", "/a~1b", "/status")
    expressions = (
        "Patient.name",
        "Patient.gender",
        "Task.status",
        "CarePlan.activity[0]",
        "x.y",
        "Patient.name.where(",
        "",
    )
    match random.randrange(3):
        case 0:
            kinds = ("add", "remove", "replace", "move", "copy", "test", "x")
            steps = [
                {"op": random.choice(kinds), "path": random.choice(paths), "from": random.choice(paths)}
                | ({"value": value(random)} if random.random() < 0.8 else {})
                for _ in range(random.randrange(4))
            ]
            return (steps if random.random() < 0.9 else value(random)), "application/json-patch+json"
        case 1:
            told = [
                {"name": "type", "valueCode": random.choice(("add", "insert", "delete", "replace", "move", "x"))},
                {"name": "path", "valueString": random.choice(expressions)},
                {"name": "name", "valueString": random.choice(("active", "given", "x"))},
                {"name": "value", random.choice(("valueString", "valueBoolean", "valueHumanName")): scalar(random)},
                {"name": "index", "valueInteger": random.choice((0, 1, -1, 10**9))},
            ]
            parts = random.sample(told, random.randrange(len(told) + 1))
            return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}, JSON
    return {random.choice(("gender", "active", "status", "x")): value(random)}, "application/merge-patch+json"


def xml(random: Random, content: Any) -> bytes:
    """Something like the XML of ``content``, now and then with what no parser should follow."""
    name = content.get("resourceType") if isinstance(content, dict) else None
    name = name if isinstance(name, str) and name.isalnum() and name.isascii() else "Patient"
    inner = random.choice(
        (
            *(
                '<id value="p1"/>',
                '<active value="true"/>',
                '<active value="x"/>',
                "<x/>",
                "text",
                '<gender value="male"/>',
            ),
            *(
                "&e;",
                "<![CDATA[x]]>",
                "<!-- x -->",
                '<name><family value="A"/></name>',
                '<id value="p1"/><id value="p2"/>',
            ),
            "<a>" * 300 + "</a>" * 300,
        )
    )
    head = random.choice(("", '<?xml version="1.0"?>', '<!DOCTYPE x [<!ENTITY e "e">]>'))
    namespace = random.choice(("http://hl7.org/fhir", "http://hl7.org/fhir", "urn:x"))
    return f'{head}<{name} xmlns="{namespace}">{inner}</{name}>'.encode()


__all__ = ["SEEDS", "Asked", "Surface"]
