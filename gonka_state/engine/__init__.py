"""The only package that knows a run is happening: connect, observe, compare, converge."""
