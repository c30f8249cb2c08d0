"""What every app shares: rows, rules, visibility, events and the HTTP surface.

This package names nothing of the university and imports no other app.
"""
