"""Settings, the log, the machine."""
