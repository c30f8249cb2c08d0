"""Django REST Framework as its documentation teaches it, with the related rows loaded by a join."""
