"""What is given of a job: how far it is, its stored run whole or in part."""
