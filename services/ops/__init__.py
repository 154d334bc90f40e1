"""Heartbeats to detection to remedy to lesson, and the supervisor of each host."""
