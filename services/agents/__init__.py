"""The manager and the specialists that do the steps."""
