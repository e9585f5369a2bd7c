"""What every service may import. Nothing in here knows a service."""
