"""HTTP for custom fields: the values on every record, and the definitions as a resource."""
