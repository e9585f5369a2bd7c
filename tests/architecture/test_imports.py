"""Who may import whom: the contracts hold, and each of them bites when it is broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run(
        [*command, "--no-logo", "--no-cache"], cwd=project, capture_output=True, text=True, timeout=110
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources alone, to plant violations in."""
    target = tmp_path_factory.mktemp("planted")
    shutil.copy(PROJECT / "pyproject.toml", target)
    for package in ("shared", "services", "consilium", "tests/architecture"):
        shutil.copytree(PROJECT / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "tests" / "__init__.py", target / "tests")
    return target


def test_the_contracts_hold() -> None:
    result = lint(PROJECT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("services/referrals/domain/planted.py", "import services.referrals.app", "imports run one way"),
        ("services/careplans/domain/planted.py", "import services.careplans.store", "imports run one way"),
        ("services/notifications/app/planted.py", "import services.notifications.api", "imports run one way"),
        ("services/careplans/store/planted.py", "import services.careplans.app", "imports run one way"),
        ("services/referrals/domain/planted.py", "import asyncpg", "The domain knows"),
        ("services/careplans/domain/planted.py", "import shared.store.resources", "The domain knows"),
        ("services/careplans/app/planted.py", "import services.referrals.domain", "never import each other"),
        ("services/gateway/planted.py", "import services.notifications.domain", "never import each other"),
        ("shared/planted.py", "import services.referrals", "knows no service"),
        ("services/referrals/planted.py", "import consilium", "do not know the program"),
        ("shared/store/planted.py", "import shared.fhir.json", "The store knows no FHIR"),
        ("shared/store/planted.py", "import fastapi", "The store knows no FHIR"),
        ("shared/fhir/planted.py", "import shared.messaging.envelope", "do not know each other"),
        ("shared/messaging/planted.py", "import shared.fhir.json", "Messaging knows no FHIR"),
    ],
)
def test_a_planted_import_is_found(copy: Path, module: str, planted: str, contract: str) -> None:
    path = copy / module
    assert (path.parent / "__init__.py").exists(), "a folder without __init__.py is checked by nobody"
    path.write_text(planted + "\n")
    try:
        result = lint(copy)
    finally:
        path.unlink()
    assert result.returncode == 1, result.stdout
    broken = " ".join(result.stdout.partition("Broken contracts")[2].split())
    assert contract in broken, result.stdout


def test_every_folder_of_sources_is_a_package() -> None:
    folders = {path.parent for root in ("shared", "services", "consilium") for path in (PROJECT / root).rglob("*.py")}
    allowed = {folder for folder in folders if "migrations" in folder.parts}
    assert [str(f.relative_to(PROJECT)) for f in sorted(folders - allowed) if not (f / "__init__.py").exists()] == []
