"""The user's YAML in cluster words: read, merged, checked, and expanded to resources."""
