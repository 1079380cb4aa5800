"""A step that waits for its like: what a killed converge began goes on on the host until it ends by itself.

Two that build at one place would each remove what the other has made so far.
"""

from __future__ import annotations

ALONE = r"""
alone() {
  # The directory itself is locked, so nothing is left of it. Whoever is started from here holds it too.
  mkdir -p -- "$(dirname -- "$1")" && exec 9<"$(dirname -- "$1")" && flock 9
}
"""
"""Shell: `alone PATH` waits until no other step builds beside PATH; the step's own deadline ends it."""
