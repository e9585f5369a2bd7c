"""What is found to be installed."""

import pytest

from tests.unit.tools.release.installation import SITE, files, metadata
from tools.release.packages import Package, installed, telling


def found(name: str) -> Package:
    (package,) = [package for package in installed(files()) if package.name == name]
    return package


def test_debian_packages_python_packages_the_interpreter_and_what_is_compiled_in_are_found() -> None:
    assert [package.key for package in installed(files())] == [
        ("cargo", "libc", "0.2.1"),
        ("deb", "bash", "5.2.15-2+b13"),
        ("deb", "libc6", "2.36-9+deb12u14"),
        ("generic", "openssl", "4.0.3"),
        ("generic", "python", "3.12.1"),
        ("pypi", "quick", "2.0"),
        ("pypi", "slow-er", "1.0"),
    ]


def test_a_debian_package_tells_its_licences_source_and_what_it_needs() -> None:
    bash, libc = found("bash"), found("libc6")
    assert (bash.told, bash.licence, bash.architecture) == (("BSD", "GPL-3+"), None, "amd64")
    assert bash.requires == {"base-files", "debianutils", "other"}
    assert (libc.source, bash.source, bash.distribution) == ("glibc", None, "bookworm")


def test_a_python_package_needs_others_and_bundles_what_its_own_inventory_names() -> None:
    quick = found("quick")
    assert quick.requires == {"slow-er"}
    assert quick.bundles == {("cargo", "libc", "0.2.1"), ("generic", "openssl", "4.0.3")}
    assert found("libc").licence == "MIT OR Apache-2.0"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"packages": []}', b'{"components": [{"name": "x"}]}'])
def test_an_inventory_of_another_kind_adds_nothing(content: bytes) -> None:
    path = f"{SITE}/quick-2.0.dist-info"
    (package,) = installed({f"{path}/METADATA": metadata("quick", "2.0"), f"{path}/sboms/a.json": content})
    assert package.bundles == frozenset()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("var/lib/dpkg/status", True),
        ("var/lib/dpkg/status.d/base", True),
        ("var/lib/dpkg/status-old", False),
        ("usr/local/bin/python3.12", True),
        ("bin/python3.12", True),
        ("usr/bin/python3.11", False),
        ("usr/local/bin/python3.12-config", False),
        (f"{SITE}/a-1.dist-info/METADATA", True),
        (f"{SITE}/a-1.dist-info/RECORD", False),
        (f"{SITE}/a/METADATA", False),
    ],
)
def test_only_files_that_tell_something_are_read(path: str, told: bool) -> None:
    assert telling(path) is told
