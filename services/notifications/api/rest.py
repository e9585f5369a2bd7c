"""The REST API of notifications."""

from fastapi import APIRouter

from services.notifications.api import deliveries, messages, preferences

router = APIRouter(prefix="/notifications", tags=["notifications"])
for _part in (preferences.router, messages.router, deliveries.router):
    router.include_router(_part)
