"""Changing hosts: one module per kind. An operation is told the change and yields commands."""
