"""Settings that nothing reads, that do not hold, that contradict each other: each is told, no value is repeated."""

import pytest

from shared.doctor import contradictions, variables
from shared.doctor.finding import EXIT, Level, as_json, as_text, failure, ok, warning, worst

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("CONSILIUM_PROT", "CONSILIUM_PORT"),
        ("CONSILIUM_DATABSE_URL", "CONSILIUM_DATABASE_URL"),
        ("CONSILIUM_LOGLEVEL", "CONSILIUM_LOG_LEVEL"),
        ("CONSILIUM_JWT_ISSUR", "CONSILIUM_JWT_ISSUER"),
        ("CONSILIUM_XYZZY", None),
    ],
)
def test_a_variable_that_nothing_reads_is_told_with_the_nearest(name: str, nearest: str | None) -> None:
    environment = {name: SECRET, "CONSILIUM_PORT": "1", "PATH": "x", "consilium_host": "read, too"}
    assert variables.unknown(environment) == {name: nearest}
    (finding,) = variables.findings(environment)
    assert finding.level is Level.WARNING
    assert name in finding.what
    assert SECRET not in as_text([finding])


@pytest.mark.parametrize(
    ("apart", "given", "level", "word"),
    [
        (True, {}, Level.FAILURE, "CONSILIUM_DATABASE_URL is not set"),
        (True, {"DATABASE_URL": "postgresql://x/y"}, Level.WARNING, "CONSILIUM_AMQP_URL is not set"),
        (True, {}, Level.FAILURE, "CONSILIUM_PEER_KEY is not set"),
        (True, {"AUTH": "open"}, Level.FAILURE, "a service apart needs tokens"),
        (False, {"AUTH": "open", "HOST": "0.0.0.0"}, Level.FAILURE, "lets others in"),
        (False, {"JWKS_URL": "https://i", "JWKS_FILE": "f", "JWT_ISSUER": "i"}, Level.WARNING, "both set"),
        (False, {"AUTH": "open", "JWKS_FILE": "f"}, Level.WARNING, "not looked at"),
        (False, {"JWKS_URL": "https://i"}, Level.WARNING, "is the local one"),
        (False, {"PUBLIC_URL": "http://care.example"}, Level.WARNING, "plain http"),
        (False, {"TRUST_FORWARDED": "1"}, Level.WARNING, "without CONSILIUM_PUBLIC_URL"),
        (False, {"TRACE_RATIO": "1"}, Level.WARNING, "go nowhere"),
        (False, {"DRAIN_S": "20"}, Level.WARNING, "CONSILIUM_DRAIN_S"),
        (False, {"PORT": SECRET}, Level.FAILURE, "CONSILIUM_PORT: "),
        (False, {"AMQP_URL": f"amqp:{SECRET}"}, Level.FAILURE, "CONSILIUM_AMQP_URL: "),
        (False, {"JWKS_URL": f"ftp://{SECRET}"}, Level.FAILURE, "CONSILIUM_JWKS_URL: "),
        (False, {"JWKS_URL": f"https://idp:{SECRET}"}, Level.FAILURE, "CONSILIUM_JWKS_URL: "),
        (False, {"PUBLIC_URL": SECRET}, Level.FAILURE, "CONSILIUM_PUBLIC_URL: "),
        (False, {"PUBLIC_URL": "https://"}, Level.FAILURE, "CONSILIUM_PUBLIC_URL: "),
        (False, {"AUTH": SECRET}, Level.FAILURE, "CONSILIUM_AUTH: "),
        (False, {}, Level.OK, "go together"),
        (False, {"PUBLIC_URL": "http://localhost:8080"}, Level.OK, "go together"),
    ],
)
def test_settings_that_do_not_go_together_are_told(
    monkeypatch: pytest.MonkeyPatch, apart: bool, given: dict[str, str], level: Level, word: str
) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(f"CONSILIUM_{name}", value)
    findings, _ = contradictions.findings(apart=apart)
    assert [finding.level for finding in findings if word in finding.what] == [level], as_text(findings)
    assert SECRET not in as_text(findings)


def test_a_gateway_needs_the_key_and_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSILIUM_PEER_KEY", raising=False)
    findings, _ = contradictions.findings(apart=False, peers=True)
    assert [(one.level, one.what[:28]) for one in findings] == [(Level.FAILURE, "CONSILIUM_PEER_KEY is not se")]
    monkeypatch.setenv("CONSILIUM_PEER_KEY", SECRET * 6)
    findings, _ = contradictions.findings(apart=False, peers=True)
    assert [one.level for one in findings] == [Level.OK]


def test_the_worst_finding_makes_the_exit_code() -> None:
    well, so_so, bad = ok("a", "b"), warning("a", "b", "c"), failure("a", "b", "c")
    codes = [EXIT[worst(found)] for found in ([], [well], [well, so_so], [bad, so_so, well])]
    assert codes == [0, 0, 1, 2]
    assert '"status": "failure"' in as_json([bad, well])
