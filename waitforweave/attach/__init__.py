"""Attach a container to a network, and take it off again."""
