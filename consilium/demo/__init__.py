"""``consilium demo``: one story, told against a running server."""
