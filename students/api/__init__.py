"""Students over HTTP."""
