"""The mail server, as a neighbour: see `smtp.py`."""
