"""``python -m services COMMAND``: the one service of this image, as ``CONSILIUM_SERVICE`` names it."""

import os
import signal

# A container's first process ends by no signal that it has no handler for (PID namespaces of Linux): without this one,
# SIGTERM is lost while the service is imported, and on a migration altogether. The API and the worker put their own.
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))

import runpy  # noqa: E402  every import before the handler is time without one
import sys  # noqa: E402
from importlib.util import find_spec  # noqa: E402

from shared.process.probe import ask  # noqa: E402

if sys.argv[1:] == ["health"]:
    sys.exit(ask())
name = os.environ.get("CONSILIUM_SERVICE", "")
if not name.isidentifier() or find_spec(f"services.{name}") is None:
    sys.exit("CONSILIUM_SERVICE: names the service; from a checkout, `python -m services.referrals api`.")
runpy.run_module(f"services.{name}", run_name="__main__", alter_sys=True)
