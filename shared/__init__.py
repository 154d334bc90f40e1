"""The contract that every room speaks: subjects, events, streams, settings, bus, health."""
