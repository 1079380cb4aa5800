"""Values to text, for people and for programs; a view decides nothing."""
