"""Round trips that are shared: what is asked for while others are under way goes out together as the next one.

What is asked never joins a question that was already sent, so its answer knows everything that was committed before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

MOST = 64
"""In one round trip."""

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Gathering(Generic[Asked, Answer]):
    """Asks through ``send``, at most ``at_once`` times at a time and for up to ``most`` together.

    ``send`` answers in the order of what it is given; what it raises is raised to all who asked together."""

    def __init__(
        self, send: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], *, at_once: int = 2, most: int = MOST
    ) -> None:
        self._send = send
        self._at_once = at_once
        self._most = most
        self._under_way = 0
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Answer:
        """The answer to ``asked``. Raises what ``send`` raises."""
        if self._under_way < self._at_once:
            self._under_way += 1
            try:
                return (await self._send((asked,)))[0]
            finally:
                self._under_way -= 1
                self._go_on()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        return await answer

    def _go_on(self) -> None:
        """Send what has gathered, if there is room."""
        if self._waiting and self._under_way < self._at_once:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._under_way += 1
            task = asyncio.create_task(self._together(group))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _together(self, group: list[tuple[Asked, "asyncio.Future[Answer]"]]) -> None:
        try:
            answers = await self._send([asked for asked, _ in group])
        except Exception as error:  # noqa: BLE001 - it belongs to those who asked, not to this task
            for _, answer in group:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for (_, answer), found in zip(group, answers, strict=True):
                if not answer.done():
                    answer.set_result(found)
        finally:
            self._under_way -= 1
            self._go_on()
