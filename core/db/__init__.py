"""What the application adds to Django's database layer."""
