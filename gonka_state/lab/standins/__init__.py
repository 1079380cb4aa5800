"""What cannot be had for a rehearsal: chain, APIs, ML nodes, model hub and cards, answering as the real ones do."""
