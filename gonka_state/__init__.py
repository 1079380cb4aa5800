"""Declarative reconcile for Gonka clusters: look, compare, close the gap, look again."""

__version__ = "0.1.0"
