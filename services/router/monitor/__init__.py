"""Watches each model on each host: percentiles, anomalies, trends, and what is to be expected."""
