"""Logs: one line of JSON, findable by trace, without what anybody sent."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from typing import Any

import asyncpg
import pytest

from shared.errors import Conflict
from shared.telemetry.logs import JsonFormatter
from shared.telemetry.propagation import current_traceparent, working
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import start

CANARY = "Zaphod-1952-03-11"


def line(name: str, text: object, *args: object, error: BaseException | None = None, **extra: object) -> dict[str, Any]:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.getLogger(name).makeRecord(name, logging.WARNING, "x.py", 1, text, args, info, extra=extra)
    formatted = JsonFormatter("careplans").format(record)
    assert "\n" not in formatted
    decoded: dict[str, Any] = json.loads(formatted)
    return decoded


def test_our_own_record_keeps_its_text_and_figures() -> None:
    written = line("shared.messaging.relay", "Relayed.", count=3, queue="careplans.referrals")
    assert (written["text"], written["count"], written["queue"]) == ("Relayed.", 3, "careplans.referrals")
    assert (written["service"], written["level"]) == ("careplans", "WARNING")


def test_a_line_carries_the_trace_it_belongs_to() -> None:
    start("test", TelemetrySettings())
    with working("test"):
        written = line("shared.x", "Here.")
        assert current_traceparent() == f"00-{written['trace_id']}-{written['span_id']}-00"
    assert "trace_id" not in line("shared.x", "Outside.")


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("HTTP Request: %s %s", ("GET", f"http://x/Patient?name={CANARY}")),
        (f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{CANARY}')>", ()),
        ("failed with %r", (ValueError(CANARY),)),
        ("%(body)s", ({"body": CANARY},)),
    ],
)
def test_what_foreign_loggers_interpolate_is_left_out(text: str, args: tuple[object, ...]) -> None:
    assert CANARY not in json.dumps(line("some.library", text, *args))


@pytest.mark.parametrize("name", ["httpcore.http11", "aiormq.connection", "asyncio"])
def test_who_asks_a_talkative_library_for_debug_gets_the_first_word_of_what_it_composed(name: str) -> None:
    answer = f"receive_response_headers.complete return_value=(b'HTTP/1.1', 201, [(b'Location', b'{CANARY}')])"
    record = logging.getLogger(name).makeRecord(name, logging.DEBUG, "x.py", 1, answer, (), None)
    assert json.loads(JsonFormatter("careplans").format(record))["text"] == "receive_response_headers.complete"


def test_foreign_numbers_and_classes_are_kept() -> None:
    assert line("some.library", "%s after %d s", ValueError(CANARY), 3)["text"] == "%s after %d s ValueError 3"


def thrown(error: BaseException, cause: BaseException | None = None) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def test_a_database_error_is_its_class_state_and_place() -> None:
    error = asyncpg.UniqueViolationError(f"Key (name)=({CANARY}) already exists")
    written = line("shared.store", "Failed.", error=thrown(error, KeyError(CANARY)))
    assert CANARY not in json.dumps(written)
    assert written["error"]["class"] == "asyncpg.exceptions.UniqueViolationError"
    assert written["error"]["sqlstate"] == "23505"
    assert written["error"]["because"] == ["KeyError"]
    assert written["error"]["at"][-1].startswith("tests.unit.shared.telemetry.test_logs:")


def test_an_error_of_ours_keeps_its_text() -> None:
    assert line("shared.x", "Failed.", error=thrown(Conflict("Not in this state.")))["error"]["issues"] == [
        "Not in this state."
    ]


def test_the_parts_of_a_group_are_told() -> None:
    error = thrown(ExceptionGroup(CANARY, [ValueError(CANARY), TimeoutError()]))
    written = line("shared.x", "Failed.", error=error)
    assert [part["class"] for part in written["error"]["among"]] == ["ValueError", "TimeoutError"]
    assert CANARY not in json.dumps(written)


async def test_what_the_event_loop_complains_of_is_safe(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": ValueError(CANARY), "future": CANARY}
    )
    (record,) = caplog.records
    formatted = JsonFormatter("careplans").format(record)
    assert CANARY not in formatted
    assert "ValueError" in formatted


@pytest.mark.parametrize(
    ("level", "kept"),
    [(None, ["WARNING"]), ("ERROR", []), ("INFO", ["INFO", "WARNING"]), ("DEBUG", ["DEBUG", "INFO", "WARNING"])],
)
def test_the_setting_says_from_which_level_on_is_logged(level: str | None, kept: list[str]) -> None:
    program = (
        "import logging; from shared.telemetry.logs import configure_logs; configure_logs('test')\n"
        "log = logging.getLogger('shared.x'); log.debug('1'); log.info('2'); log.warning('3')"
    )
    others = {name: value for name, value in os.environ.items() if name != "CONSILIUM_LOG_LEVEL"}
    environment = others | ({"CONSILIUM_LOG_LEVEL": level} if level else {})
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert [json.loads(written)["level"] for written in ended.stderr.splitlines()] == kept
