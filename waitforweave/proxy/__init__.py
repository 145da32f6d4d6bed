"""The Docker Engine API for any client, with Powerstrip adapters around each call."""
