"""``python -m consilium``."""

from consilium.main import app

app()
