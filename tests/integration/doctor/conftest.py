"""An issuer of tokens, or any other server, that answers what a test says."""

import threading
from collections.abc import Iterator
from http.server import HTTPServer

import pytest

from tests.integration.doctor.judging import Issuer


@pytest.fixture
def issuer() -> Iterator[str]:
    """Its URL."""
    with HTTPServer(("127.0.0.1", 0), Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/jwks"
        server.shutdown()
