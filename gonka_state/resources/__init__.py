"""What a host can have: one frozen model per kind."""
