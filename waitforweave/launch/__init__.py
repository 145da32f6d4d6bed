"""Bring volume container, hook server and proxy up on an engine, and take them away again."""
