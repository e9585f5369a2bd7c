"""Inventories are valid CycloneDX, repeatable, and say what needs what."""

import json
from datetime import UTC, datetime

import pytest

from tests.unit.tools.release.installation import files
from tools.release.inventory import inventory, listed, objection
from tools.release.packages import installed

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def document() -> str:
    return inventory("consilium-referrals", "0.2.0", installed(files()), AT, image="sha256:1")


def test_an_inventory_is_valid_cyclonedx_and_tells_of_every_package() -> None:
    text = document()
    assert objection(text) is None
    content = json.loads(text)
    assert (content["bomFormat"], content["specVersion"]) == ("CycloneDX", "1.6")
    assert content["metadata"]["component"]["name"] == "consilium-referrals"
    assert content["metadata"]["timestamp"] == "2026-01-02T03:04:05+00:00"
    assert sorted(component["purl"] for component in content["components"]) == [
        "pkg:cargo/libc@0.2.1",
        "pkg:deb/debian/bash@5.2.15-2%2Bb13?arch=amd64&distro=bookworm",
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=bookworm&upstream=glibc",
        "pkg:generic/openssl@4.0.3",
        "pkg:generic/python@3.12.1",
        "pkg:pypi/quick@2.0",
        "pkg:pypi/slow-er@1.0",
    ]


def test_the_same_packages_give_the_same_bytes_and_another_image_another_number() -> None:
    assert document() == document()
    other = inventory("consilium-referrals", "0.2.0", installed(files()), AT, image="sha256:2")
    assert json.loads(other)["serialNumber"] != json.loads(document())["serialNumber"]


def test_what_needs_what_and_what_is_compiled_into_what_is_told() -> None:
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in json.loads(document())["dependencies"]}
    assert set(needs["pkg:pypi/quick@2.0"]) == {
        "pkg:pypi/slow-er@1.0",
        "pkg:cargo/libc@0.2.1",
        "pkg:generic/openssl@4.0.3",
    }
    assert len(needs["subject"]) == 7


def test_licences_are_listed_for_people() -> None:
    rows = {url: licence for url, _, licence in listed(document())}
    assert rows["pkg:pypi/slow-er"] == "BSD-3-Clause"
    assert set(rows["pkg:deb/debian/bash"].split(", ")) == {"BSD", "GPL-3+"}
    assert rows["pkg:deb/debian/libc6"] == "not told"


@pytest.mark.parametrize(
    "spoil", [('"CycloneDX"', '"SPDX"'), ('"type": "library"', '"type": "book"'), ('"purl"', '"url"')]
)
def test_what_is_not_cyclonedx_is_objected_to(spoil: tuple[str, str]) -> None:
    assert objection(document().replace(*spoil)) is not None
