"""Tables of the service's own, beside the resource store."""
