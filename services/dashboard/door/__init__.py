"""The HTTP door: one file a group of routes, errors in one form, nothing loaded from outside."""
