"""Image files: what they claim, and their pixels."""
