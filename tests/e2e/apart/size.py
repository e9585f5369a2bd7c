"""How big the installation apart is: small for CI, whole with ``CONSILIUM_TEST_SCALE=3`` (``make scale-test``)."""

from tests.factories.apart import Counts
from tests.scale import SCALE

REPLICAS = SCALE or 1
"""Processes of each kind."""
COUNTS = Counts(REPLICAS, REPLICAS, REPLICAS)
PER_SECOND = 100 if REPLICAS > 1 else 30
"""Requests that the load begins."""
DRAIN_S = 2.0
"""Shorter than a cluster's: the balancers here ask for readiness twice a second."""
