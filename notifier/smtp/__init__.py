"""The mail server: read connection.py first; docs/delivery.md has the table of outcomes."""
