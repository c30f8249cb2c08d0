"""Where records go: for each resource, how a row is found, compared, written and taken back.

Every write is one of the bulk services of the app that owns the rows.
"""
