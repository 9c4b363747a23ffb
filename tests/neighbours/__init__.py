"""Servers and users around the notifier: on loopback ports, misbehaving on request."""
