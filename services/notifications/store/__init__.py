"""The tables of notifications beside the resource store: preferences, deliveries, the stream, who takes part."""
