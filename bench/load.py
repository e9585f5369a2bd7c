"""Load by wrk: one thread; requests per second with 16 connections, or what one request waits with one."""

import asyncio
import re
import tempfile
from dataclasses import dataclass

CONNECTIONS = 16


class BadAnswers(RuntimeError):
    """The server answered something else than success: the figure would be worthless."""


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of request. ``bodies`` and ``paths`` are taken in turn."""

    url: str
    paths: tuple[str, ...] = ("/",)
    method: str = "GET"
    bodies: tuple[str, ...] = ("",)
    headers: tuple[tuple[str, str], ...] = ()

    def script(self) -> str:
        """The Lua script that makes wrk send it."""
        headers = "\n".join(f"wrk.headers[ {_lua(name)} ] = {_lua(value)}" for name, value in self.headers)
        return f"""
wrk.method = {_lua(self.method)}
{headers}
local paths = {{{",".join(map(_lua, self.paths))}}}
local bodies = {{{",".join(map(_lua, self.bodies))}}}
local n = 0
request = function()
  n = n + 1
  local body = bodies[n % #bodies + 1]
  return wrk.format(nil, paths[n % #paths + 1], nil, body ~= "" and body or nil)
end
done = function(summary, latency, requests)
  io.write(string.format("p95: %d\\n", latency:percentile(95)))
end
"""


async def rate(load: Load, *, seconds: int = 5) -> float:
    """Requests per second over ``seconds``. Raises ``BadAnswers``."""
    return float(_told(r"Requests/sec:\s+([\d.]+)", await _wrk(load, CONNECTIONS, seconds)))


async def p95_ms(load: Load, *, seconds: int = 5) -> float:
    """Milliseconds in which 95 of 100 requests are answered that are sent one after the other. Raises
    ``BadAnswers``."""
    return int(_told(r"p95: (\d+)", await _wrk(load, 1, seconds))) / 1000


async def _wrk(load: Load, connections: int, seconds: int) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(load.script())
        script.flush()
        process = await asyncio.create_subprocess_exec(
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, load.url,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
    if "Non-2xx or 3xx responses" in output:
        raise BadAnswers(output)
    return output


def _told(pattern: str, output: str) -> str:
    found = re.search(pattern, output)
    if found is None:
        raise BadAnswers(output)
    return found.group(1)


def _lua(text: str) -> str:
    """A Lua string literal; long brackets of a level that JSON never holds."""
    return f"[==[{text}]==]"
