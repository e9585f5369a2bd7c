"""From XML to JSON values (http://hl7.org/fhir/R4/xml.html), for validation to judge as it judges JSON.

expat reads it without a document type, so that there are no entities to expand and nothing outside is opened; how deep
it is nested and how many nodes it has is bounded as it is for JSON. What is no FHIR XML at all is refused here. What R4
does not define in its place becomes the member that validation finds at the same place in JSON.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from xml.parsers import expat

from shared.errors import Invalid, TooLarge
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import FEW_VALUES, MOST_VALUES, SMALLEST, Resource
from shared.fhir.xml.members import Form, Member, members
from shared.fhir.xml.narrative import XHTML, Narrative

FHIR = "http://hl7.org/fhir"
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance "
DEEPEST = 256
"""Elements within elements."""
_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,63}")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,9})?")
_UNKNOWN: Mapping[str, Member] = {}
_STRAY = Member(0, Form.PARTS, "", False)
"""An element that R4 does not define where it is."""
_ITSELF = Member(0, Form.PARTS, "", False)
"""A resource, which no member of its parent names."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class _Open:
    """An element whose end is still to come; what it holds so far, as JSON."""

    __slots__ = ("known", "member", "name", "text", "value")

    def __init__(self, name: str, member: Member, known: Mapping[str, Member]) -> None:
        self.name, self.member, self.known = name, member, known
        self.text: str | None = None
        self.value: dict[str, Any] = {}


def from_xml(body: bytes) -> Resource:
    """The resource in ``body``. Raises ``Invalid`` for what is no FHIR XML, ``TooLarge`` for too many nodes.

    An error says where by FHIRPath, and has no piece of the body in its text."""
    if body.startswith(_UTF_16):
        raise Invalid("The body is not UTF-8.", code="structure")
    most = min(MOST_VALUES, max(FEW_VALUES, len(body) // SMALLEST))
    if len(body) > most and body.count(b"<") + body.count(b"=") > most:
        raise TooLarge("The body has more values than this server takes.", code="too-costly")
    return _Reader(body).read()


class _Reader:
    """What the parser calls."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._open: list[_Open] = []
        self._names: dict[str, str] = {}
        self._root: Resource | None = None
        self._narrative: Narrative | None = None
        # the encoding is UTF-8, whatever the document says (http://hl7.org/fhir/R4/xml.html)
        self._parser = parser = expat.ParserCreate("UTF-8", " ")
        parser.namespace_prefixes = True
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype

    def read(self) -> Resource:
        try:
            self._parser.Parse(self._body, True)
        except expat.ExpatError as error:
            raise Invalid("The body is not well-formed XML in UTF-8.", code="structure") from error
        assert self._root is not None, "a well-formed document has a root"
        return self._root

    def _doctype(self, *declaration: Any) -> None:
        raise Invalid("The body may have no document type.", code="structure")

    def _text(self, text: str) -> None:
        if self._narrative is not None:
            self._narrative.text(text)
        elif not text.isspace():
            raise self._invalid("FHIR XML has no text between its elements.")

    def _start(self, tag: str, attributes: list[str]) -> None:
        above = self._open
        if self._narrative is not None:
            if len(above) + self._narrative.depth >= DEEPEST:
                raise self._invalid("The XML is nested too deeply.")
            if not self._narrative.start(tag, attributes):
                raise self._invalid("A narrative is one div in the namespace of XHTML.")
            return
        if len(above) >= DEEPEST:
            raise self._invalid("The XML is nested too deeply.")
        name = self._names.get(tag) or self._name(tag)
        if not above or above[-1].member.form is Form.RESOURCE:
            self._start_resource(name, attributes)
            return
        member = above[-1].known.get(name, _STRAY)
        if member.form > Form.RESOURCE or member is _STRAY:
            self._require_place(name, member)
        if member.form is Form.XHTML:
            self._narrative = Narrative(self._body, self._parser.CurrentByteIndex)
            above.append(_Open(name, member, _UNKNOWN))
            if not self._narrative.start(tag, attributes):
                raise self._invalid("A narrative is one div in the namespace of XHTML.")
            return
        opened = _Open(name, member, members(member.path) if member.path else _UNKNOWN)
        if attributes:
            self._take(opened, attributes)
        above.append(opened)

    def _name(self, tag: str) -> str:
        """The name in ``tag``, which comes with its namespace. Raises ``Invalid`` for one that is none of FHIR's."""
        space, name = (*tag.split(" "), "")[:2]
        if space != FHIR and not (space == XHTML and self._open and name == "div" and "div" in self._open[-1].known):
            raise self._invalid("An element is not in the namespace of FHIR.")
        if space == FHIR:
            self._names[tag] = name
        return name

    def _require_place(self, name: str, member: Member) -> None:
        """Raises ``Invalid`` for what would be mistaken for something else in JSON."""
        if member.form is Form.ATTRIBUTE:
            raise self._invalid("This is an attribute in XML, not an element.")
        if member is _STRAY and (_NAME.fullmatch(name) is None or name == "resourceType"):
            raise self._invalid("An element has a name that FHIR has nowhere.")

    def _start_resource(self, name: str, attributes: list[str]) -> None:
        if name not in RESOURCE_TYPES:
            raise self._invalid("This must be a resource of R4.")
        opened = _Open(name, _ITSELF, members(name))
        opened.value["resourceType"] = name
        if attributes:
            self._take(opened, attributes)
        self._open.append(opened)

    def _take(self, opened: _Open, attributes: list[str]) -> None:
        """The attributes of an element: ``value`` of a primitive, ``id``, ``url`` of an extension."""
        member, stray = opened.member, opened.member is _STRAY
        for place in range(0, len(attributes), 2):
            name, value = attributes[place], attributes[place + 1]
            if name == "value" and (member.form < Form.PARTS or stray):
                opened.text = value
            elif name in ("id", "url") and (stray or _is_attribute(opened, name)):
                opened.value[name] = value
            elif not name.startswith(_SCHEMA):
                raise self._invalid("An element has an attribute that FHIR does not define there.")

    def _end(self, tag: str) -> None:
        if self._narrative is not None:
            if not self._narrative.end(tag, self._parser.CurrentByteIndex):
                return
            self._open.pop()
            self._add("div", self._narrative.div(), many=False)
            self._narrative = None
            return
        opened = self._open.pop()
        member = opened.member
        if member is _ITSELF:
            self._end_resource(opened)
        elif member.form < Form.PARTS:
            value = None if opened.text is None else _value(opened.text, member.form)
            self._add_primitive(opened, value)
        elif member.form is Form.RESOURCE:
            self._add(opened.name, opened.value.get("resource"), many=member.many)
        else:
            empty = opened.text is not None and not opened.value
            self._add(opened.name, opened.text if empty else opened.value, many=member.many)

    def _end_resource(self, opened: _Open) -> None:
        if not self._open:
            self._root = opened.value
            return
        holder = self._open[-1].value
        if "resource" in holder:
            raise self._invalid("Only one resource can be here.")
        holder["resource"] = opened.value

    def _add(self, name: str, value: Any, *, many: bool) -> None:
        """One more ``name`` in the object that is open; of what may not repeat, a second one makes a list of it."""
        target = self._open[-1].value
        if many:
            target.setdefault(name, []).append(value)
        elif name in target:
            before = target[name]
            target[name] = [*before, value] if type(before) is list else [before, value]
        else:
            target[name] = value

    def _add_primitive(self, opened: _Open, value: Any) -> None:
        name, beside, target = opened.name, opened.value, self._open[-1].value
        if not opened.member.many:
            if beside:
                self._add(f"_{name}", beside, many=False)
            if value is not None or not beside:
                self._add(name, value, many=False)
            return
        side = f"_{name}"
        number = max(len(target.get(name, ())), len(target.get(side, ())))
        for key, item in ((name, value), (side, beside or None)):
            if key in target:
                target[key].append(item)
            elif item is not None or (key == name and not beside):
                target[key] = [None] * number + [item]

    def _invalid(self, text: str) -> Invalid:
        steps = []
        for above, opened in zip([None, *self._open], self._open, strict=False):
            repeats = opened.member.many and above is not None
            seen = above.value if above is not None else {}
            number = max(len(seen.get(opened.name, ())), len(seen.get(f"_{opened.name}", ()))) if repeats else -1
            if above is None or (opened.member is not _STRAY and opened.member is not _ITSELF):
                steps.append(opened.name if number < 0 else f"{opened.name}[{number}]")
        return Invalid(text, code="structure", expression=(".".join(steps),) if steps else ())


def _is_attribute(opened: _Open, name: str) -> bool:
    """Whether ``name`` is an attribute of the element; of a primitive that is ``id`` alone."""
    found = opened.known.get(name)
    return found is not None and found.form is Form.ATTRIBUTE


def _value(text: str, form: Form) -> Any:
    """The JSON value of a primitive; a text where it is none, for validation to say so."""
    if form is Form.NUMBER:
        if _WHOLE.fullmatch(text) is not None:
            return int(text)
        return Decimal(text) if _NUMBER.fullmatch(text) is not None else text
    if form is Form.BOOLEAN and text in ("true", "false"):
        return text == "true"
    return text
