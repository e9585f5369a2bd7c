"""Random criteria of every kind of parameter, each with what it means: a test of one resource, written by hand.

A parameter is a row of a table: the types that have it, its name, and where its values stand in the JSON.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from shared.fhir.json import Resource
from tests.integration.oracle import values
from tests.integration.oracle.values import at, fold
from tests.integration.oracle.worlds import (
    ANIMALS,
    CODES,
    COUNTS,
    DISPLAYS,
    FOREIGN,
    IDS,
    LOCAL,
    MOMENTS,
    NAMES,
    NUMBERS,
    SNOMED,
    URLS,
    World,
)

BASE = "http://test/fhir"
Test = Callable[[Resource], bool]


@dataclass(frozen=True)
class Asked:
    """One search parameter with its value, and which resources of the type it finds."""

    name: str
    value: str
    finds: Test


@dataclass(frozen=True)
class Place:
    """Where the values of the parameter ``name`` of ``type`` stand; ``fhir`` is what they are."""

    type: str
    name: str
    fhir: str
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()

    def of(self, resource: Resource) -> list[Any]:
        """The values in ``resource``."""
        return [value for path in self.paths for value in at(resource, path)]


def _places(rows: str) -> list[Place]:
    found = []
    for row in rows.strip().splitlines():
        type_, name, fhir, paths, *targets = row.split()
        for each in COUNTS if type_ == "*" else (type_,):
            found.append(Place(each, name, fhir, tuple(paths.split("|")), tuple(targets)))
    return found


TOKENS = _places("""
    * _tag Coding meta.tag
    * _security Coding meta.security
    Observation code CodeableConcept code
    Observation category CodeableConcept category
    Observation status code status
    Observation identifier Identifier identifier
    Observation value-concept CodeableConcept valueCodeableConcept
    Observation combo-code CodeableConcept code|component.code
    Patient active boolean active
    Patient gender code gender
    Patient identifier Identifier identifier
    Patient language CodeableConcept communication.language
    Patient telecom ContactPoint telecom
    CarePlan category CodeableConcept category
    CarePlan status code status
    Task code CodeableConcept code
    Task priority code priority
    Task business-status CodeableConcept businessStatus
    Practitioner identifier Identifier identifier
    Organization active boolean active
    ValueSet version string version
    ValueSet status code status
""")
STRINGS = _places("""
    Patient name string name.family|name.given
    Patient family string name.family
    Patient given string name.given
    Patient address string address.city|address.line
    Patient address-city string address.city
    Practitioner name string name.family|name.given
    Organization name string name|alias
    Observation value-string string valueString|valueCodeableConcept.text
    ValueSet name string name
    ValueSet title string title
""")
DATES = _places("""
    Observation date date effectiveDateTime|effectiveInstant|effectivePeriod|effectiveTiming
    CarePlan date date period
    CarePlan activity-date date activity.detail.scheduledTiming|activity.detail.scheduledPeriod
    Patient birthdate date birthDate
    Patient death-date date deceasedDateTime
    Task modified date lastModified
    Task period date executionPeriod
    ValueSet date date date
""")
_IN_COMPONENTS = ("component.valueQuantity", "component.valueSampledData")
NUMBERS_OF = [
    Place("RiskAssessment", "probability", "number", ("prediction.probabilityDecimal", "prediction.probabilityRange")),
    Place("Observation", "value-quantity", "quantity", ("valueQuantity", "valueSampledData")),
    Place("Observation", "component-value-quantity", "quantity", _IN_COMPONENTS),
    Place("Observation", "combo-value-quantity", "quantity", ("valueQuantity", "valueSampledData", *_IN_COMPONENTS)),
]
REFERENCES = _places("""
    Observation subject Reference subject Patient Group
    Observation performer Reference performer Practitioner Organization Patient
    Observation based-on Reference basedOn CarePlan
    Observation derived-from Reference derivedFrom Observation
    CarePlan subject Reference subject Patient Group
    CarePlan based-on Reference basedOn CarePlan
    Task subject any for Patient Group
    Task focus any focus CarePlan Observation
    Task owner Reference owner Practitioner Organization Patient
    Task part-of Reference partOf Task
    Patient general-practitioner Reference generalPractitioner Practitioner Organization
    Patient organization Reference managingOrganization Organization
    Organization partof Reference partOf Organization
    RiskAssessment subject Reference subject Patient Group
""")
PATIENTS = _places("""
    Observation patient Reference subject Patient Group
    CarePlan patient Reference subject Patient Group
    Task patient Reference for Patient Group
    RiskAssessment patient Reference subject Patient Group
""")
"""References of which those to patients alone count."""
URIS = _places("""
    * _profile canonical meta.profile
    * _source uri meta.source
    ValueSet url uri url
    ValueSet reference uri compose.include.system
    CarePlan instantiates-uri uri instantiatesUri
""")
COMPOSITES = {
    "code-value-quantity": ("", "quantity", "valueQuantity"),
    "component-code-value-quantity": ("component", "quantity", "valueQuantity"),
    "combo-code-value-quantity": ("|component", "quantity", "valueQuantity"),
    "code-value-concept": ("", "token", "valueCodeableConcept"),
    "component-code-value-concept": ("component", "token", "valueCodeableConcept"),
    "code-value-string": ("", "string", "valueString"),
    "code-value-date": ("", "date", "valueDateTime|valuePeriod"),
}


def escaped(text: str) -> str:
    """``text`` as a search value."""
    for character in "\\,|$":
        text = text.replace(character, "\\" + character)
    return text


def _any(place: Place, written: Iterable[tuple[str, Callable[[Any], bool]]], modifier: str = "") -> Asked:
    """One of several values, each with its test of one stored value."""
    texts, tests = zip(*written, strict=True)
    name = f"{place.name}:{modifier}" if modifier else place.name
    return Asked(name, ",".join(texts), lambda r: any(test(value) for value in place.of(r) for test in tests))


@st.composite
def missing(draw: st.DrawFn, place: Place) -> Asked:
    """``:missing``"""
    wanted = draw(st.booleans())
    return Asked(f"{place.name}:missing", str(wanted).lower(), lambda r: (not place.of(r)) == wanted)


@st.composite
def _coded(draw: st.DrawFn, type_: str) -> tuple[str, Callable[[Any], bool]]:
    """``code``, ``system|code``, ``|code`` or ``system|``, and its test of one value."""
    if type_ in ("Identifier", "ContactPoint"):
        code = draw(st.sampled_from(("1", "Ab", "ab", "555", "FAX")))
        system = draw(st.sampled_from(("urn:mrn", "urn:ssn", "phone", "home")))
    else:
        code = draw(st.sampled_from((*CODES, "CAT", "true", "false", "final", "active", "male", "routine", "a", "A")))
        system = draw(st.sampled_from((SNOMED, LOCAL, ANIMALS)))
    wanted = code if type_ == "Identifier" else code.lower()
    form = draw(st.sampled_from(("code", "both", "both", "none", "system")))
    if form == "system":
        return (
            f"{system}|",
            lambda v: not values.has_system(type_) or any(s == system for s, _ in values.codes(type_, v)),
        )
    if form == "code" or not values.has_system(type_):
        written = {"code": code, "both": f"{system}|{code}", "none": f"|{code}"}[form]
        return written, lambda v: any(c == wanted for _, c in values.codes(type_, v))
    expected = system if form == "both" else None
    return f"{expected or ''}|{code}", lambda v: (expected, wanted) in values.codes(type_, v)


@st.composite
def tokens(draw: st.DrawFn, place: Place, world: World) -> Asked:
    """A token with one of the modifiers that it takes."""
    type_ = place.fhir
    modifiers = ["", "", "", "not", "missing"]
    if type_ in ("CodeableConcept", "Coding", "Identifier"):
        modifiers.append("text")
    if type_ in ("CodeableConcept", "Coding"):
        modifiers += ["in", "not-in", "below", "above"]
    if type_ == "Identifier":
        modifiers.append("of-type")
    modifier = draw(st.sampled_from(modifiers))
    if modifier == "missing":
        return draw(missing(place))
    if modifier == "text":
        text = draw(st.sampled_from(("CAFÉ", "walk", "walk m", "au")))
        return _any(
            place, [(text, lambda v: any(fold(t).startswith(fold(text)) for t in values.texts(type_, v)))], "text"
        )
    if modifier == "of-type":
        code, value = draw(st.sampled_from(("MR", "mr", "SS"))), draw(st.sampled_from(("1", "Ab", "ab")))
        return _any(
            place,
            [(f"urn:types|{code}|{value}", lambda v: "type" in v and code.upper() == "MR" and v["value"] == value)],
            "of-type",
        )
    if modifier in ("above", "below"):
        code, found = draw(
            st.sampled_from(
                [("animal", {"animal"}), ("cat", {"cat", "animal"})]
                if modifier == "above"
                else [("animal", {"animal", "cat", "dog"}), ("Dog", {"dog"})]
            )
        )
        wanted = {(ANIMALS, each) for each in found}
        return _any(place, [(f"{ANIMALS}|{code}", lambda v: bool(wanted & set(values.codes(type_, v))))], modifier)
    sets = [each for each in world.values() if each["resourceType"] == "ValueSet" and "compose" in each]
    if modifier in ("in", "not-in") and sets:
        chosen = draw(st.sampled_from(sets))
        parts = chosen["compose"]["include"]
        members = {(part["system"], c["code"].lower()) for part in parts for c in part.get("concept", ())}
        whole = {part["system"] for part in parts if "concept" not in part}

        def within(resource: Resource) -> bool:
            pairs = [pair for value in place.of(resource) for pair in values.codes(type_, value)]
            return any(pair in members or pair[0] in whole for pair in pairs)

        return Asked(
            f"{place.name}:{modifier}", f"ValueSet/{chosen['id']}", lambda r: within(r) != (modifier == "not-in")
        )
    plain = _any(place, draw(st.lists(_coded(type_), min_size=1, max_size=2)))
    if modifier != "not":
        return plain
    return Asked(f"{place.name}:not", plain.value, lambda r: not plain.finds(r))


@st.composite
def strings(draw: st.DrawFn, place: Place) -> Asked:
    """A string: its beginning, ``:contains``, ``:exact``."""
    modifier = draw(st.sampled_from(("", "", "contains", "exact", "missing")))
    if modifier == "missing":
        return draw(missing(place))
    written = []
    for text in draw(st.lists(st.sampled_from((*NAMES, *DISPLAYS)), min_size=1, max_size=2)):
        part = text
        if draw(st.booleans()):
            start = draw(st.integers(0, len(text) - 2)) if modifier == "contains" else 0
            part = text[start : draw(st.integers(start + 1, len(text)))]
        part = draw(st.sampled_from((part, part.upper(), part.lower())))
        if not fold(part):
            part = "ng"
        written.append((escaped(part), _string_test(modifier, part)))
    return _any(place, written, modifier)


def _string_test(modifier: str, part: str) -> Callable[[Any], bool]:
    if modifier == "exact":
        return lambda value: bool(value == part)
    if modifier == "contains":
        return lambda value: fold(part) in fold(value)
    return lambda value: fold(value).startswith(fold(part))


@st.composite
def _date(draw: st.DrawFn, now: datetime) -> tuple[str, Callable[[values.Range], bool]]:
    prefix, text = (
        draw(st.sampled_from((*values.DATE_PREFIXES, "ap"))),
        draw(st.sampled_from((*MOMENTS, "2024-03-01T01:30Z"))),
    )
    return prefix + text, values.passes_date(prefix, text, now)


@st.composite
def dates(draw: st.DrawFn, place: Place, now: datetime) -> Asked:
    """A date with a prefix, of any precision."""
    if draw(st.integers(0, 7)) == 0:
        return draw(missing(place))
    found = draw(st.lists(_date(now), min_size=1, max_size=2))
    return _any(place, [(text, lambda v, test=test: any(map(test, values.spans(v)))) for text, test in found])


@st.composite
def updated(draw: st.DrawFn, stored_at: dict[str, datetime], now: datetime) -> Asked:
    """``_lastUpdated``: to the second, the minute, the day."""
    moment = draw(st.sampled_from(sorted(stored_at.values())))
    form = draw(st.sampled_from(("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.500Z")))
    prefix, text = draw(st.sampled_from(tuple(values.DATE_PREFIXES))), moment.strftime(form)
    test = values.passes_date(prefix, text, now)

    def finds(resource: Resource) -> bool:
        moment = stored_at[f"{resource['resourceType']}/{resource['id']}"]
        return test((moment, moment + values.MICROSECOND))

    return Asked("_lastUpdated", prefix + text, finds)


@st.composite
def _measure(draw: st.DrawFn, units: bool) -> tuple[str, Callable[[Any], bool]]:
    prefix = draw(st.sampled_from(("", "eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap")))
    number = draw(st.sampled_from(NUMBERS))
    test = values.passes_number(prefix, number)
    system, unit = (
        draw(st.sampled_from((("", ""), ("", ""), ("", "mg"), ("", "points"), ("urn:units", "mg"), ("x", "mg"))))
        if units
        else ("", "")
    )
    written = f"{prefix}{number}" + (f"|{system}|{unit}" if unit else "")
    return written, lambda v: any(map(test, values.measures(v))) and (not unit or values.in_unit(v, system, unit))


@st.composite
def numbers(draw: st.DrawFn, place: Place) -> Asked:
    """A number or a quantity, with a prefix and in a unit."""
    if draw(st.integers(0, 7)) == 0:
        return draw(missing(place))
    return _any(place, draw(st.lists(_measure(place.fhir == "quantity"), min_size=1, max_size=2)))


@st.composite
def references(draw: st.DrawFn, place: Place) -> Asked:
    """A reference by id, Type/id, URL, ``:Type``, ``:identifier``; ``patient`` sees references to patients alone."""
    only = place.targets[0] if place.name == "patient" else ""

    def counts(value: Any) -> bool:
        parts = value.get("reference", "").partition("/_history/")[0].split("/")
        return not only or only == (parts[-2] if len(parts) > 1 else value.get("type"))

    seen = Place(place.type, place.name, place.fhir, place.paths)
    type_, id_ = draw(st.sampled_from(place.targets)), draw(st.sampled_from((*IDS[:3], "gone")))
    forms = ["typed", "version", "own", "foreign", "modified", "identifier", "missing"]
    form = draw(st.sampled_from(forms if place.fhir == "any" else [*forms, "id"]))

    def same(value: Any, texts: Iterable[str]) -> bool:
        return value.get("reference", "").partition("/_history/")[0] in texts and counts(value)

    def filtered(test: Callable[[Any], bool]) -> Test:
        return lambda r: any(counts(value) and test(value) for value in seen.of(r))

    if form == "missing":
        wanted = draw(st.booleans())
        return Asked(
            f"{place.name}:missing", str(wanted).lower(), lambda r: (not any(map(counts, place.of(r)))) == wanted
        )
    if form == "identifier":
        system, value = (
            draw(st.sampled_from((None, "", "urn:mrn", "urn:ssn"))),
            draw(st.sampled_from(("1", "Ab", "ab"))),
        )

        def named(reference: Any) -> bool:
            found = reference.get("identifier", {})
            return found.get("value") == value and (system is None or found.get("system", "") == system)

        return Asked(f"{place.name}:identifier", value if system is None else f"{system}|{value}", filtered(named))
    texts = {f"{type_}/{id_}"}
    written = {
        "typed": f"{type_}/{id_}",
        "version": f"{type_}/{id_}/_history/7",
        "own": f"{BASE}/{type_}/{id_}",
        "foreign": f"{FOREIGN}/{type_}/{id_}",
        "modified": id_,
        "id": id_,
    }[form]
    if form == "foreign":
        texts = {written}
    elif form == "id":
        texts = {f"{each}/{id_}" for each in place.targets}
    name = f"{place.name}:{type_}" if form == "modified" else place.name
    return Asked(name, written, filtered(lambda value: same(value, texts)))


@st.composite
def uris(draw: st.DrawFn, place: Place) -> Asked:
    """A URI, ``:above`` and ``:below``."""
    modifier = draw(st.sampled_from(("", "", "above", "below", "missing")))
    if modifier == "missing":
        return draw(missing(place))
    wanted = draw(st.sampled_from((*URLS, "http://a/x/1|2", "http://a/x/1/b/c", SNOMED)))

    def test(value: str) -> bool:
        urls = {value, value.partition("|")[0]}
        if modifier == "above":
            return any(wanted == url or (wanted.startswith(f"{url}/") and "://" in url) for url in urls)
        if modifier == "below":
            return any(url == wanted or url.startswith(f"{wanted}/") for url in urls)
        return wanted in urls

    return _any(place, [(escaped(wanted), test)], modifier)


@st.composite
def composites(draw: st.DrawFn, now: datetime) -> Asked:
    """Two values of one element of an Observation."""
    name = draw(st.sampled_from(sorted(COMPOSITES)))
    where, kind, paths = COMPOSITES[name]
    coded, has_code = draw(_coded("CodeableConcept").filter(lambda found: not found[0].endswith("|")))
    if kind == "quantity":
        text, test = draw(_measure(True))
    elif kind == "token":
        text, test = draw(_coded("CodeableConcept").filter(lambda found: not found[0].endswith("|")))
    elif kind == "string":
        text = draw(st.sampled_from(("mu", "Jo", "o'brien", "de la")))
        test = _string_test("", text)
    else:
        text, passes = draw(_date(now))

        def test(value: Any) -> bool:
            return any(map(passes, values.spans(value)))

    def finds(resource: Resource) -> bool:
        nodes = [node for path in where.split("|") for node in (at(resource, path) if path else [resource])]
        return any(
            has_code(node["code"]) and any(test(v) for path in paths.split("|") for v in at(node, path))
            for node in nodes
        )

    return Asked(name, f"{coded}${text}", finds)


@st.composite
def ids(draw: st.DrawFn) -> Asked:
    """``_id``, ``_id:not``"""
    wanted, negated = draw(st.lists(st.sampled_from((*IDS, "gone")), min_size=1, max_size=3)), draw(st.booleans())
    return Asked("_id:not" if negated else "_id", ",".join(wanted), lambda r: (r["id"] in wanted) != negated)


def of_type(type_: str, world: World, stored_at: dict[str, datetime], now: datetime) -> st.SearchStrategy[Asked]:
    """A criterion of any kind on resources of ``type_``."""
    made = [ids(), updated(stored_at, now)]
    made += [tokens(place, world) for place in TOKENS if place.type == type_]
    made += [strings(place) for place in STRINGS if place.type == type_]
    made += [dates(place, now) for place in DATES if place.type == type_]
    made += [numbers(place) for place in NUMBERS_OF if place.type == type_]
    made += [references(place) for place in REFERENCES + PATIENTS if place.type == type_]
    made += [uris(place) for place in URIS if place.type == type_]
    made += [composites(now)] if type_ == "Observation" else []
    return st.one_of(made)
