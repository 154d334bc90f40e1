"""What agents can do besides asking a model: tools, each with a schema and an effect."""
