"""Measurements, never assertions: each prints a table and can write JSON."""
