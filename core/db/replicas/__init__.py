"""The database backend of a replica, named as ENGINE."""
