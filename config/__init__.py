"""What the operator decides: settings from the environment, and the form of the logs."""
