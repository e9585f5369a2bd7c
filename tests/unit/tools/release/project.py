"""A small project with everything that a release looks at, committed."""

import subprocess
from pathlib import Path

CHANGELOG = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-01-02

### Added
- Something.
"""
OVERLAY = """images:
  - name: consilium/referrals
    newName: registry.example.org/consilium/referrals
    newTag: 0.2.0
  - name: postgres
    newTag: 17.5-bookworm
"""


def git(root: Path, *arguments: str) -> None:
    """Raises where Git refuses."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def write(root: Path, path: str, text: str) -> None:
    """Put a file there and commit it."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    git(root, "add", path)
    git(root, "commit", "--message", f"Write {path}")


FILES = {
    "pyproject.toml": '[project]\nname = "consilium"\nversion = "0.2.0"\n\n[tool.x]\nversion = "7"\n',
    "uv.lock": '[[package]]\nname = "other"\nversion = "0.2.0"\n\n[[package]]\nname = "consilium"\nversion = "0.2.0"\n',
    "CHANGELOG.md": CHANGELOG,
    "deploy/k8s/overlays/prod/kustomization.yaml": OVERLAY,
    "deploy/k8s/components/version/kustomization.yaml": "pairs:\n  app.kubernetes.io/version: 0.2.0\n",
    "docs/operations/upgrade.md": "| version | before |\n|---|---|\n| 0.2.0 | nothing |\n",
    ".gitignore": "dist/\n",
    "Makefile": "test:\n\t@echo tested >> dist/tests; test ! -e broken\n",
}


def project(root: Path) -> Path:
    """Version 0.2.0, ready to be released on any day from 2026-01-02 on."""
    git(root, "init", "--initial-branch", "main")
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", ".")
    git(root, "commit", "--message", "Begin")
    return root
