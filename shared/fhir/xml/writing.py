"""From JSON values to XML (http://hl7.org/fhir/R4/xml.html)."""

import html
import re
from collections.abc import Iterator
from typing import Any

from shared.fhir.json import Resource
from shared.fhir.xml.members import Form, Member, members

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_NAMESPACE = ' xmlns="http://hl7.org/fhir"'
_XHTML = ' xmlns="http://www.w3.org/1999/xhtml"'
_SPECIAL = re.compile('[&<>"\t\n\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
"""Blanks of an attribute are spaces to an XML parser, unless they are escaped."""
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot express (https://www.w3.org/TR/xml/#charsets)."""
_ENTITY = re.compile("&([A-Za-z][A-Za-z0-9]*);")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_OPENING = re.compile(r"<((?:[A-Za-z_][\w.\-]*:)?div)\b([^>]*)")
_LINE = "\n"


def to_xml(resource: Resource, *, pretty: bool = False) -> bytes:
    """``resource``, which is valid R4, as an XML document; indented where ``pretty``.

    A character that XML cannot express becomes U+FFFD, a named entity of HTML in a narrative the character it names."""
    parts = [_HEAD]
    _resource(parts, resource, _LINE if pretty else "", _NAMESPACE)
    text = "".join(parts)
    return (text if text.isascii() else _UNFIT.sub("\ufffd", text)).encode()


def _resource(parts: list[str], resource: Resource, pad: str, namespace: str = "") -> None:
    type_ = resource["resourceType"]
    parts.append(f"{pad}<{type_}{namespace}>")
    _content(parts, resource, type_, pad and pad + "  ")
    parts.append(f"{pad}</{type_}>")


def _content(parts: list[str], value: dict[str, Any], path: str, pad: str) -> None:
    """The elements of an object, in R4's order."""
    known = members(path)
    for _, name, member in sorted(_written(value, known)):
        item = value.get(name)
        if member.form >= Form.PARTS:
            for each in item if member.many and type(item) is list else (item,):
                _element(parts, name, each, member, pad)
        elif member.many:
            beside = value.get(f"_{name}") or ()
            values = item or ()
            for index in range(max(len(values), len(beside))):
                text = values[index] if index < len(values) else None
                _primitive(parts, name, text, beside[index] if index < len(beside) else None, pad)
        else:
            _primitive(parts, name, item, value.get(f"_{name}"), pad)


def _written(value: dict[str, Any], known: Any) -> Iterator[tuple[int, str, Member]]:
    for name in value:
        member = known.get(name)
        if member is None and name[0] == "_" and name[1:] not in value:
            name = name[1:]
            member = known.get(name)
        if member is not None and member.form is not Form.ATTRIBUTE:
            yield member.place, name, member


def _element(parts: list[str], name: str, value: Any, member: Member, pad: str) -> None:
    if member.form is Form.XHTML:
        parts.append(pad + _div(value))
    elif member.form is Form.RESOURCE:
        parts.append(f"{pad}<{name}>")
        _resource(parts, value, pad and pad + "  ")
        parts.append(f"{pad}</{name}>")
    else:
        _complex(parts, f"{pad}<{name}", name, value, member.path, pad)


def _primitive(parts: list[str], name: str, value: Any, beside: Any, pad: str) -> None:
    head = f"{pad}<{name}" if value is None else f'{pad}<{name} value="{_attribute(value)}"'
    if beside is None:
        parts.append(f"{head}/>")
    else:
        _complex(parts, head, name, beside, "Element", pad)


def _complex(parts: list[str], head: str, name: str, value: dict[str, Any], path: str, pad: str) -> None:
    """An element whose opening tag begins with ``head``: its attributes, and what it holds."""
    if "id" in value:
        head += f' id="{_attribute(value["id"])}"'
    if path == "Extension" and "url" in value:
        head += f' url="{_attribute(value["url"])}"'
    before = len(parts)
    parts.append(f"{head}>")
    _content(parts, value, path, pad and pad + "  ")
    if len(parts) == before + 1:
        parts[before] = f"{head}/>"
    else:
        parts.append(f"{pad}</{name}>")


def _attribute(value: Any) -> str:
    if type(value) is not str:
        return str(value).lower() if type(value) is bool else str(value)
    if _SPECIAL.search(value) is None:
        return value
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


def _div(text: str) -> str:
    """The narrative as it stands, in its namespace, without entities that only HTML knows."""
    if "&" in text:
        text = _ENTITY.sub(_plain, text)
    opening = _OPENING.search(text)
    if opening is not None and ":" not in opening[1] and "xmlns" not in opening[2]:
        text = f"{text[: opening.end(1)]}{_XHTML}{text[opening.end(1) :]}"
    return text


def _plain(entity: re.Match[str]) -> str:
    return entity[0] if entity[1] in _OF_XML else html.unescape(entity[0])
