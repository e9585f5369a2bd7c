"""Who calls: tokens verified, turned into a ``Caller``."""
