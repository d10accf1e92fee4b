"""Letters decide where the recogniser doubts: models of what a language writes, and where they have a say."""
