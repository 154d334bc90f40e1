"""Reads the usage exports of clouds and says what the same work would save at home."""
