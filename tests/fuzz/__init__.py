"""Generated malice: seeded, so that what fails today fails tomorrow."""
