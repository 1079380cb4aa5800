"""What checks and converges found over time, kept on this machine alone; it never connects anywhere."""
