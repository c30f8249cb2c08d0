"""Who takes what: students in sections."""
