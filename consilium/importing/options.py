"""What ``consilium import`` is told."""

from dataclasses import dataclass
from pathlib import Path

JOURNAL = "import-journal.jsonl"


@dataclass(frozen=True, slots=True)
class Options:
    """One import."""

    paths: tuple[Path, ...]
    url: str
    """The FHIR base."""
    token: str | None
    journal: Path
    concurrency: int = 2
    again: bool = False
    strict: bool = False
    """Structural faults are left for the server to refuse."""

    @classmethod
    def of(
        cls,
        paths: list[Path],
        *,
        url: str | None,
        token: str | None,
        concurrency: int = 2,
        again: bool = False,
        strict: bool = False,
    ) -> "Options":
        """Options with what the environment says for the rest: the port, the data folder, the local key."""
        from consilium.local import local_base, local_token
        from shared.settings import ServerSettings

        settings = ServerSettings()
        base = (url or f"{local_base(settings)}/fhir").rstrip("/")
        journal = settings.data_dir / JOURNAL
        return cls(tuple(paths), base, token or local_token(), journal, concurrency, again, strict)
