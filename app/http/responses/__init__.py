"""What clients are sent: jobs as JSON, results as streams, files, and pages about problems."""
