"""`make demo`: the mission at work, with the ordinary docker command against a real engine."""
