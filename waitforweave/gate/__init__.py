"""The in-container program: standard library only, and few and cheap imports of that."""
