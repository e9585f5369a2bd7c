"""``python -m services.gateway api|doctor``."""

import sys

from services.gateway.process import examine, serve_gateway
from shared.process.command import run

sys.exit(run({"api": serve_gateway, "doctor": examine}, sys.argv[1:]))
