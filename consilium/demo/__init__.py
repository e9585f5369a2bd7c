"""``consilium demo``: one referral story told against a running server, and shown as tables."""
