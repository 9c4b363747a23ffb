"""What strangers write, searched for what nobody thought of: `python -m tests.fuzz`."""
