"""HTTP for projects."""
