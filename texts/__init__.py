"""What can be said of texts."""
