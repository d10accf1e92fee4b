"""What clients send: uploads, `Prefer`, and options, of which unknown ones are refused."""
