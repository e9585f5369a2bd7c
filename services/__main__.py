"""``python -m services COMMAND``: the one service of this image, as ``CONSILIUM_SERVICE`` names it."""

import os
import runpy
import sys

from shared.process.probe import ask

if sys.argv[1:] == ["health"]:
    sys.exit(ask())
name = os.environ.get("CONSILIUM_SERVICE", "")
if not name.isidentifier():
    sys.exit("CONSILIUM_SERVICE: names the service; from a checkout, `python -m services.referrals api`.")
runpy.run_module(f"services.{name}", run_name="__main__", alter_sys=True)
