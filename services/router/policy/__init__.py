"""Which model answers a request, and why: rules, aliases, measured quality, fallbacks, clouds."""
