"""What the service says and hears."""
