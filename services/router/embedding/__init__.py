"""Embeddings as calls of the router: kept text by text, shared in flight, priced and recorded."""
