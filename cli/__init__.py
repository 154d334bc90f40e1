"""The `sovereign` command: a bus client for people."""
