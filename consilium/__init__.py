"""The ``consilium`` command line: runs, fills and shows the system. Imports services; no service imports it."""
