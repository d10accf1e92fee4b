"""What is to be told to receivers outside, kept beside what it tells of."""
