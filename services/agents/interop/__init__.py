"""The crew for clients of the Synadia Agent Protocol for NATS, version 0.3."""
