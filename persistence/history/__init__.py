"""What ended in each minute of the last hour, counted where it ends."""
