"""The page and the HTTP door: reads the bus, sends commands, decides nothing."""
