"""Neighbours of the notifier on loopback ports, which misbehave on request."""
