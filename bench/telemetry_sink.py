"""A collector that takes everything and keeps nothing but counts: ``python -m bench.telemetry_sink PORT``.

In a process of its own, as a collector is; it decodes nothing, so that it weighs as little as one on another machine.
"""

import asyncio
import json
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


class Sink:
    """Counts requests by path (``/v1/traces``, ``/v1/metrics``, ``/v1/logs``) and their bytes."""

    def __init__(self) -> None:
        self.taken: dict[str, list[int]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ")
                fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                length = int(fields.get("content-length", "0"))
                await reader.readexactly(length)
                if method == "GET":
                    body = json.dumps(self.taken).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
                else:
                    requests, octets = self.taken.get(path, [0, 0])
                    self.taken[path] = [requests + 1, octets + length]
                    writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main(port: int) -> None:
    """Until killed."""
    async with await asyncio.start_server(Sink().serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
