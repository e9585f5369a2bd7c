"""The paths of a FHIRPath Patch: the part of FHIRPath that selects elements (http://hl7.org/fhirpath/N1/#expressions).

``Patient.name.where(use = 'official').given[0]``: names, indexes, ``where``, ``extension``, ``ofType``, ``first`` ...
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from shared.errors import Invalid

LONGEST = 2_000
"""Characters of a path."""
DEEPEST = 10
"""``where`` within ``where``, and parentheses."""
_TOKEN = re.compile(
    r"\s*(?:(?P<name>\$this|[A-Za-z_][A-Za-z0-9_]*|`[^`\\]+`)|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|'(?P<text>(?:[^'\\]|\\.)*)'|(?P<sign>!=|[.()\[\]=,]))",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Child:
    """``.name``"""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """``[2]``; negative from the end, for ``last()``."""

    at: int


@dataclass(frozen=True, slots=True)
class Single:
    """``single()``"""


@dataclass(frozen=True, slots=True)
class OfType:
    """``ofType(Quantity)`` or ``as(Quantity)``"""

    type: str


@dataclass(frozen=True, slots=True)
class Extension:
    """``extension('url')``"""

    url: str


@dataclass(frozen=True, slots=True)
class Where:
    """``where(condition)``"""

    condition: "Condition"


Step = Child | Index | Single | OfType | Extension | Where
Literal = str | bool | Decimal


@dataclass(frozen=True, slots=True)
class Equals:
    """``path = literal``; ``negated`` for ``!=``. A path without a literal is compared with ``true``."""

    path: tuple[Step, ...]
    literal: Literal
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """``path.exists()``; ``negated`` for ``empty()``."""

    path: tuple[Step, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Both:
    """``all_of`` joined by ``and``."""

    all_of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """``any_of`` joined by ``or``."""

    any_of: tuple["Condition", ...]


Condition = Equals | Exists | Both | Either


def parsed(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises ``Invalid`` for what is not in the part of FHIRPath that a patch may use."""
    if len(text) > LONGEST:
        raise Invalid("The path is longer than this server takes.", code="too-long")
    parser = _Parser(_tokens(text))
    steps = parser.path()
    parser.end()
    return steps


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unreadable()
        found.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


def _unreadable() -> Invalid:
    return Invalid("The path is not a FHIRPath expression that selects an element.", code="value")


class _Parser:
    """By recursive descent."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise _unreadable()

    def path(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        if self._peek() == ("name", "$this"):
            self._at += 1
        else:
            steps.append(self._step())
        while True:
            if self._takes("["):
                steps.append(Index(self._whole()))
                self._expect("]")
            elif self._peek() == ("sign", ".") and not self._is_test():
                self._at += 1
                steps.append(self._step())
            else:
                return tuple(steps)

    def condition(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Invalid("The path nests too deeply.", code="too-costly")
        found = [self._all()]
        while self._takes_word("or"):
            found.append(self._all())
        self._depth -= 1
        return found[0] if len(found) == 1 else Either(tuple(found))

    def _all(self) -> Condition:
        found = [self._term()]
        while self._takes_word("and"):
            found.append(self._term())
        return found[0] if len(found) == 1 else Both(tuple(found))

    def _term(self) -> Condition:
        if self._takes("("):
            inner = self.condition()
            self._expect(")")
            return inner
        if self._peek() in (("name", "exists"), ("name", "empty")) and self._peek(1) == ("sign", "("):
            return self._test(())
        path = self.path()
        if self._takes("."):
            return self._test(path)
        if self._takes("!="):
            return Equals(path, self._literal(), negated=True)
        return Equals(path, self._literal()) if self._takes("=") else Equals(path, True)

    def _test(self, path: tuple[Step, ...]) -> Exists:
        name = self._name()
        self._expect("(")
        if name == "exists" and self._peek() != ("sign", ")"):
            path = (*path, Where(self.condition()))
        self._expect(")")
        return Exists(path, negated=name == "empty")

    def _is_test(self) -> bool:
        return self._peek(1) in (("name", "exists"), ("name", "empty")) and self._peek(2) == ("sign", "(")

    def _step(self) -> Step:
        name = self._name()
        if name == "$this":
            raise _unreadable()
        if not self._takes("("):
            return Child(name)
        step = _FUNCTIONS.get(name)
        if step is None:
            raise Invalid("The path calls a function that a patch may not use.", code="not-supported")
        made = step(self)
        self._expect(")")
        return made

    def where(self) -> Step:
        return Where(self.condition())

    def extension(self) -> Step:
        return Extension(self._text())

    def of_type(self) -> Step:
        name = self._name()
        if name in ("FHIR", "System") and self._takes("."):
            name = self._name()
        return OfType(name)

    def _literal(self) -> Literal:
        kind, text = self._next()
        if kind == "text":
            return _unescaped(text)
        if kind == "number":
            return Decimal(text)
        if kind == "name" and text in ("true", "false"):
            return text == "true"
        raise _unreadable()

    def _name(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise _unreadable()
        return text.strip("`")

    def _text(self) -> str:
        kind, text = self._next()
        if kind != "text":
            raise _unreadable()
        return _unescaped(text)

    def _whole(self) -> int:
        kind, text = self._next()
        if kind != "number" or not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise _unreadable()
        return int(text)

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "")

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self._at += 1
        return found

    def _takes(self, sign: str) -> bool:
        if self._peek() == ("sign", sign):
            self._at += 1
            return True
        return False

    def _takes_word(self, word: str) -> bool:
        if self._peek() == ("name", word):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise _unreadable()


_FUNCTIONS: dict[str, Callable[[_Parser], Step]] = {
    "where": _Parser.where,
    "extension": _Parser.extension,
    "ofType": _Parser.of_type,
    "as": _Parser.of_type,
    "first": lambda parser: Index(0),
    "last": lambda parser: Index(-1),
    "single": lambda parser: Single(),
}


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "u" and len(code) == 5 else _ESCAPES.get(code, code)

    return _ESCAPED.sub(one, text)
