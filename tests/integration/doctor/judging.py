"""What a finding must say, and an issuer of tokens to be judged."""

from http.server import BaseHTTPRequestHandler

from shared.doctor.finding import Finding, Level, as_text


def holds(findings: list[Finding] | tuple[Finding, ...], level: Level, word: str) -> None:
    """Assert that one of ``findings`` says so, and what to do."""
    found = [finding for finding in findings if word in finding.what]
    assert [finding.level for finding in found] == [level], as_text(findings)
    assert bool(found[0].do) is (level is not Level.OK)


class Issuer(BaseHTTPRequestHandler):
    """An issuer whose clock and keys are what the test says."""

    status, content, date = 200, b"", "Mon, 23 Nov 2026 12:00:00 GMT"

    def do_GET(self) -> None:
        """Answer everything alike."""
        self.send_response_only(self.status)
        self.send_header("Date", self.date)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
