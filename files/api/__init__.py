"""HTTP for files."""
