"""Hold a container's program back until its second network is there, then become it."""

__version__ = "0.1.0"
