"""Reading hosts: every fact prints one POSIX sh section and parses what it answered."""
