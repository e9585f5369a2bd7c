"""``consilium import``: files to Bundles, Bundles to the server, in dependency order, resumable."""
