"""Earlier answers to questions that are near in meaning."""
