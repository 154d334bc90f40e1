"""The checks of `sovereign doctor`: of the host, of the bus, of the engine."""
