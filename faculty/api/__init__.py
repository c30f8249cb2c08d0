"""Faculty over HTTP."""
