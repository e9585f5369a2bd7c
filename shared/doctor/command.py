"""What ``consilium doctor`` and ``python -m services doctor`` share: run the checks, print them, choose the code."""

import logging
from collections.abc import Coroutine, Sequence
from typing import Any

from shared.doctor.finding import EXIT, Finding, as_json, as_text, worst


async def report(examining: Coroutine[Any, Any, Sequence[Finding]], *, json: bool) -> int:
    """Print the findings of ``examining``; the exit code: 0 all well, 1 warnings, 2 something does not work."""
    # the report is all that is said: libraries tell of each failed attempt in texts of their own
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        findings = await examining
    finally:
        logging.disable(before)
    print(as_json(findings) if json else as_text(findings))
    return EXIT[worst(findings)]
