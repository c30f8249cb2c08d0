"""What can be said of texts by counting alone: no model, no network, no database. It knows nothing of the records."""
