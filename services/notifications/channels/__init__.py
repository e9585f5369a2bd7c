"""The ways out. Each takes a ``Letter`` and answers with an ``Outcome``; none knows the database."""

from collections.abc import Awaitable, Callable

from services.notifications.domain.delivery import Letter, Outcome

Send = Callable[[Letter], Awaitable[Outcome]]
"""One attempt. Never raises for what the other side does; only for defects of ours."""
