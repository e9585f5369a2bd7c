"""The files of a small installation: Debian below, two Python packages, one of them with crates inside."""

import json

from tools.release.packages import Files

STATUS = """Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b13
Depends: base-files (>= 2.1.12), debianutils (>= 5.6-0.1) | other
Description: GNU Bourne Again SHell
 Version: not a field

Package: libc6
Status: install ok installed
Source: glibc (2.36-9)
Architecture: amd64
Version: 2.36-9+deb12u14

Package: gone
Status: deinstall ok not-installed
Architecture: amd64
Version: 1
"""
INVENTORY = {
    "bomFormat": "CycloneDX",
    "components": [
        {"name": "quick", "version": "2.0", "purl": "pkg:pypi/quick@2.0?file_name=quick.whl"},
        {
            "name": "libc",
            "version": "0.2.1",
            "purl": "pkg:cargo/libc@0.2.1?download_url=file://somewhere",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
        },
        {"name": "openssl", "version": "4.0.3", "purl": "pkg:generic/openssl@4.0.3"},
    ],
}
SITE = "opt/lib/python3.12/site-packages"


def metadata(name: str, version: str, *lines: str) -> bytes:
    """A package's METADATA."""
    return "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, "", "text", ""]).encode()


def files() -> Files:
    """As an image has them."""
    return {
        "etc/os-release": b'PRETTY_NAME="Debian"\nVERSION_CODENAME=bookworm\n',
        "var/lib/dpkg/status": STATUS.encode(),
        "usr/share/doc/bash/copyright": b"Format: ...\n\nFiles: *\nLicense: GPL-3+\n text\n\nFiles: x\nLicense: BSD\n",
        f"{SITE}/quick-2.0.dist-info/METADATA": metadata(
            "Quick",
            "2.0",
            "License-Expression: MIT",
            "Requires-Dist: Slow_Er>=1; python_version > '3'",
            "Requires-Dist: ?",
        ),
        f"{SITE}/quick-2.0.dist-info/sboms/quick.cyclonedx.json": json.dumps(INVENTORY).encode(),
        f"{SITE}/slow_er-1.0.dist-info/METADATA": metadata("slow.er", "1.0", "License: BSD-3-Clause"),
        "usr/local/lib/libpython3.12.so.1.0": b"\x7fELF\0junk 3.9.9\0\0003.12.1\0%.80s",
    }
