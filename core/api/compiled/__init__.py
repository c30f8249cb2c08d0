"""Lists that PostgreSQL renders: a reader compiled into one expression that makes the JSON of a row.

`texts` has the SQL of JSON, `fields` what shows which column, `readers` puts a row together, `rows` runs it for a page.
What a reader's own `to_representation` would answer is what comes out, byte for byte; whoever shows something that
cannot be compiled is rendered by the serializer.
"""
