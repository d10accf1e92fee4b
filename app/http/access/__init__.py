"""Who may ask: API keys and rate limits, before a request's body is read."""
