"""What each kind of file means: adapters that turn rows into records of our resources.

An adapter reads, checks what the file alone can tell, and yields records so that whatever a record
refers to comes before it. It neither reads nor writes the database.
"""
