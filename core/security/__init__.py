"""What keeps secrets: the keys, and encryption at rest."""
