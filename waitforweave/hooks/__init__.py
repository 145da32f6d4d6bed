"""The Powerstrip adapter: before create the gate, after start the network."""
