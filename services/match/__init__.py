"""Clients and providers, deals and the ledger."""
