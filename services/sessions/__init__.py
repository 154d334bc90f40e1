"""What was decided, learned and left open."""
