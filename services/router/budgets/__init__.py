"""Limits on what model calls may cost or use, reserved before each call."""
