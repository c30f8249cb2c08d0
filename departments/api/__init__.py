"""The shape of the university over HTTP."""
