"""``python -m services.referrals api|worker|migrate|doctor``."""

import sys

from services.referrals.main import SERVICE
from shared.process.command import commands_of, run

sys.exit(run(commands_of(SERVICE), sys.argv[1:]))
