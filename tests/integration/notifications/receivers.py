"""Receivers on loopback: a mail server (aiosmtpd) and a webhook endpoint. Both can be told how to answer."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP


class MailServer:
    """``answers`` are given one after the other to the messages that come, then 250."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.recipients: list[str] = []
        self.answers: deque[str] = deque()
        self._server: asyncio.Server | None = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """What aiosmtpd calls for each message."""
        self.got.append(message_from_bytes(envelope.content))
        self.recipients.extend(envelope.rcpt_tos)
        return self.answers.popleft() if self.answers else "250 OK"

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> "MailServer":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="test", loop=loop), "127.0.0.1", 0)
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()


@dataclass
class Hook:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HookServer:
    """``answers`` are given one after the other (a status, or None: hang up without an answer), then 204."""

    got: list[Hook] = field(default_factory=list)
    answers: deque[int | None] = field(default_factory=deque)
    location: str = "/elsewhere"
    patience: asyncio.Event | None = None
    """Answers wait for it."""
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    async def __aenter__(self) -> "HookServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.got.append(Hook(first.split(" ")[1], headers, body))
            status = self.answers.popleft() if self.answers else 204
            if self.patience is not None:
                await self.patience.wait()
            if status is not None:
                location = f"location: {self.location}\r\n" if 300 <= status < 400 else ""
                answer = f"HTTP/1.1 {status} X\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
