"""Who may do what with whose rows, asked of every route by every kind of caller.

`expectations.yaml` says what ought to happen and is reviewed by people; `matrix.py` asks the API.
"""
