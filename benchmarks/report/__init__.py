"""What was measured: its words, and how it is shown."""
