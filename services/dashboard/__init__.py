"""The live page and the HTTP door; it only reads the bus and sends commands."""
