"""``python -m services.gateway api``."""

import sys

from services.gateway.process import serve_gateway
from shared.process.command import run

sys.exit(run({"api": serve_gateway}, sys.argv[1:]))
