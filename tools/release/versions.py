"""The version stands in pyproject.toml (https://semver.org/spec/v2.0.0.html); what repeats it is found and kept equal.

Three numbers and nothing else: the same text is a Python version, an image tag, a label and a Git tag.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PROJECT, LOCK = "pyproject.toml", "uv.lock"
_NUMBER = r"(0|[1-9]\d*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")
_OWN = re.compile(r'(?m)^version = "([^"]+)"$')
_OWN_NAMED = re.compile(r'(?m)^(name = "consilium"\n)version = "[^"]+"$')
# where a file cannot ask: the label of all workloads, the tags of our images in overlays and in compose (unless that
# builds its own, with a tag that is no version)
_MENTION = re.compile(
    r"app\.kubernetes\.io/version: ['\"]?(?P<label>[^\s'\"]+)"
    r"|- name: consilium/\w+\n(?: +newName: \S+\n)? +newTag: ['\"]?(?P<tag>[^\s'\"]+)"
    r"|image: \S*consilium/\w+:(?:\$\{CONSILIUM_VERSION:-)?(?P<image>\d+\.\d+\.\d+)"
)


class Version(NamedTuple):
    """MAJOR.MINOR.PATCH."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Mention:
    """A version that a file repeats."""

    path: Path
    line: int
    version: str


def parse_version(text: str) -> Version:
    """Raises ``ValueError`` where ``text`` is not MAJOR.MINOR.PATCH."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ValueError("a version is MAJOR.MINOR.PATCH")
    return Version(*(int(part) for part in match.groups()))


def own_version(root: Path) -> Version:
    """The project's version. Raises ``ValueError``."""
    found = _OWN.search((root / PROJECT).read_text())
    if found is None:
        raise ValueError(f"{PROJECT} has no version")
    return parse_version(found[1])


def mentions(root: Path) -> Iterator[Mention]:
    """Every place below ``deploy`` and in the compose file that repeats the version."""
    for path in _deployments(root):
        text = path.read_text()
        for match in _MENTION.finditer(text):
            start = match.start(match.lastgroup or 0)
            yield Mention(path.relative_to(root), text.count("\n", 0, start) + 1, text[start : match.end()])


def write_version(root: Path, version: Version) -> list[Path]:
    """Make ``version`` the project's, and that of every mention; the files that changed."""
    changed = []
    for path in [root / PROJECT, *_deployments(root)]:
        text = path.read_text()
        new = _OWN.sub(f'version = "{version}"', text, count=1) if path.name == PROJECT else _replaced(text, version)
        if new != text:
            path.write_text(new)
            changed.append(path.relative_to(root))
    return changed


def relabel(root: Path, label: str) -> None:
    """Make ``label`` the version of the Python package in ``root``, and in its lock. Raises ``ValueError``."""
    for name in (PROJECT, LOCK):
        path = root / name
        text, found = _OWN_NAMED.subn(lambda match: f'{match[1]}version = "{label}"', path.read_text(), count=1)
        if not found:
            raise ValueError(f"{name} has no version of the package")
        path.write_text(text)


def _deployments(root: Path) -> list[Path]:
    files = [*(root / "deploy").rglob("*.yaml"), *(root / "deploy").rglob("*.yml"), *root.glob("docker-compose*.yml")]
    return sorted(files)


def _replaced(text: str, version: Version) -> str:
    def one(match: re.Match[str]) -> str:
        start = match.start(match.lastgroup or 0)
        return f"{text[match.start() : start]}{version}"

    return _MENTION.sub(one, text)
