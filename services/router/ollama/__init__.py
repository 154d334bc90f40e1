"""Ollama's native HTTP interface: chat, embeddings, models."""
