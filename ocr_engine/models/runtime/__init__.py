"""Which runtime reads, where the options leave that open: `auto`."""
