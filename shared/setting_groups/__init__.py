"""The settings of each room; `shared.settings` puts them together."""
