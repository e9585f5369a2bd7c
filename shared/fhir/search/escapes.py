r"""Escapes in search values: ``\,`` ``\|`` ``\$`` ``\\`` (http://hl7.org/fhir/R4/search.html#escaping)."""

import re

_ESCAPED = re.compile(r"\\([,|$\\])")


def split_unescaped(text: str, separator: str) -> list[str]:
    """The parts of ``text`` between separators that no backslash precedes; the parts keep their escapes."""
    if separator not in text:
        return [text]
    if "\\" not in text:
        return text.split(separator)
    parts, part, escaped = [], "", False
    for character in text:
        if character == separator and not escaped:
            parts.append(part)
            part = ""
            continue
        escaped = character == "\\" and not escaped
        part += character
    return [*parts, part]


def unescape(text: str) -> str:
    """``text`` without its escapes."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text
