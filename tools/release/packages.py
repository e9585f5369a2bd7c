"""What is installed below a root, read from the files that installers leave: no program in there is run.

Python: ``*.dist-info/METADATA`` (https://packaging.python.org/specifications/core-metadata/). Debian: ``dpkg/status``
and ``/usr/share/doc/*/copyright`` (https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tools.release.bundled import INVENTORY, components
from tools.release.licences import of_copyright, of_metadata

METADATA = re.compile(r"(?:^|/)[^/]+\.dist-info/METADATA$")
STATUS = re.compile(r"(?:^|/)var/lib/dpkg/(?:status|status\.d/[^/.]+)$")
COPYRIGHT = re.compile(r"(?:^|/)usr/share/doc/(?P<package>[^/]+)/copyright$")
RELEASE = re.compile(r"(?:^|/)(?:etc|usr/lib)/os-release$")
INTERPRETER = re.compile(r"(?<!usr)/(?:bin/python3\.\d+|lib/libpython3\.\d+\.so\.1\.0)$")
"""Those that Debian packages are none: they lie in /usr/bin and /usr/lib."""

Files = Mapping[str, bytes]
"""Path below the root -> content, of the files that ``telling`` names."""


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package. ``licence`` is an SPDX expression, or None where nothing says a known one."""

    ecosystem: str
    """``pypi``, ``deb``, ``cargo`` ..., the type of its package URL."""
    name: str
    version: str
    licence: str | None
    told: tuple[str, ...] = ()
    """What the package itself says about its licence."""
    architecture: str | None = None
    distribution: str | None = None
    source: str | None = None
    """Debian's source package where its name is another: security notices name that one."""
    namespace: str | None = None
    requires: frozenset[str] = frozenset()
    """Names of the same ecosystem, as far as they may be installed."""
    bundles: frozenset[tuple[str, str, str]] = frozenset()
    """Ecosystem, name and version of what is compiled into it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What no other package has."""
        return self.ecosystem, self.name, self.version


def telling(path: str) -> bool:
    """Whether the file at ``path`` is one of those that ``installed`` reads."""
    return any(kind.search(f"/{path}") for kind in (METADATA, INVENTORY, STATUS, COPYRIGHT, RELEASE, INTERPRETER))


def installed(files: Files) -> list[Package]:
    """Every package that ``files`` tell of, by ecosystem and name."""
    found = {package.key: package for package in (*_python(files), *_debian(files), *_interpreter(files))}
    return [found[key] for key in sorted(found)]


def _python(files: Files) -> Iterator[Package]:
    for path, content in files.items():
        if METADATA.search(path):
            about = _headers(content)
            licence, told = of_metadata(about)
            requires = filter(None, (_required(line) for line in about.get_all("Requires-Dist") or ()))
            name = canonicalize_name(str(about["Name"]))
            inside = list(_bundled(files, path.rpartition("/")[0]))
            yield Package(
                *("pypi", name, str(about["Version"]), licence, told),
                requires=frozenset(requires),
                bundles=frozenset(package.key for package in inside),
            )
            yield from inside


def _bundled(files: Files, folder: str) -> Iterator[Package]:
    for path, content in files.items():
        if path.startswith(f"{folder}/sboms/"):
            for url, licence, told in components(content):
                yield Package(url.type, url.name, url.version or "", licence, told, namespace=url.namespace)


def _required(line: str) -> str | None:
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:
        return None


def _debian(files: Files) -> Iterator[Package]:
    release = next((content.decode() for path, content in sorted(files.items()) if RELEASE.search(path)), "")
    codename = re.search(r"(?m)^VERSION_CODENAME=\"?(\w+)", release)
    for path, content in files.items():
        if not STATUS.search(path):
            continue
        for paragraph in content.decode(errors="replace").split("\n\n"):
            about = _headers(paragraph.encode())
            if about["Package"] is None or "not-installed" in str(about["Status"]).split():
                continue
            told = of_copyright(_copyright(str(about["Package"]), files))
            yield Package(
                "deb",
                str(about["Package"]),
                str(about["Version"]),
                None,
                told,
                architecture=str(about["Architecture"]),
                distribution=codename[1] if codename else None,
                namespace="debian",
                source=str(about["Source"]).partition(" ")[0] if about["Source"] else None,
                requires=frozenset(re.findall(r"(?:^|[,|]\s*)([a-z0-9][a-z0-9+.-]+)", str(about["Depends"] or ""))),
            )


def _copyright(package: str, files: Files) -> str:
    for path in (f"usr/share/doc/{package}/copyright", f"/usr/share/doc/{package}/copyright"):
        if path in files:
            return files[path].decode(errors="replace")
    return ""


def _interpreter(files: Files) -> Iterator[Package]:
    for path, content in files.items():
        version = re.search(rb"\0(3\.\d+\.\d+)\0", content) if INTERPRETER.search(f"/{path}") else None
        if version:
            yield Package("generic", "python", version[1].decode(), "PSF-2.0")


def _headers(content: bytes) -> Message:
    return Parser().parsestr(content.decode(errors="replace"), headersonly=True)
