"""`weavewait`, the operator's tool: one module a command."""
