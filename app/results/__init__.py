"""What is given of a job that was read: its stored run, whole or in part."""
