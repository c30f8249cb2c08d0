"""The logs over HTTP, to be read."""
