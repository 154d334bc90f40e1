"""Model requests to local models: cached, priced, watched."""
