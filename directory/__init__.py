"""Whom everybody here may find, and by what."""
