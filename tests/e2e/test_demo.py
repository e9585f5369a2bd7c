"""``consilium demo`` against a whole running system, twice."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from consilium.demo.command import demo
from tests.factories.system import System


async def told(base: str, data: list[Path]) -> str:
    """What the demo prints when it ends well."""
    console = Console(file=StringIO(), width=160)
    assert await demo(base, data, console), console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]  # it is a StringIO


async def test_the_story_ends_in_one_plan_and_is_told_once(
    plain_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(plain_system.data_dir))
    async with (
        plain_system.site() as site,
        site.working(),
        site.served() as base,
    ):
        first = await told(base, [])
        for expected in (
            "refers to Jonas Weir",
            "Mei Tanaka declines",
            "mental health │ completed",
            "physical therapy │ cancelled",
            "PEG 3 item pain scale, mean 4.3",
            "A referral to mental health was completed.",
            "A referral to physical therapy was declined.",
        ):
            assert expected in " ".join(first.split()), expected
        again = await told(base, [])
        assert "The story was told before" in again
        assert again.count("│ completed ") == first.count("│ completed ")
