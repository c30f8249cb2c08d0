"""Data from elsewhere: imports, and the identifiers by which other systems know our records."""
