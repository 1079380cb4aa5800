"""Values and decisions of the flow: no I/O, no clock, no pyinfra."""
