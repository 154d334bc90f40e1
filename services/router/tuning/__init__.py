"""Recommendations that are applied while the router runs, measured, and taken back."""
