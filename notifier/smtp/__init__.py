"""The mail server, as a neighbour: `smtp.py` is the door, docs/delivery.md the outcome table."""
