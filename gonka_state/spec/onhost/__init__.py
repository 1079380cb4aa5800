"""Programs that run on a host with nothing but its own Python (3.9 or newer): their text is written there as a file."""
