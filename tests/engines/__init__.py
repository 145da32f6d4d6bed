"""The engines of other Debian suites, and the clients that are no `docker`: docs/engines.md."""
