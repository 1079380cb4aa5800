"""The API container: public, callback and Admin API, and the broker that looks after the ML nodes.

Its ports: gonka-contract 2 (9000) and 5.2 (9100, 9200); the store that is written once a minute: 1.7.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from gonka_state.lab.standins import callback, web
from gonka_state.lab.standins.admin import Admin
from gonka_state.lab.standins.apistate import ApiState
from gonka_state.lab.standins.public import Public
from gonka_state.lab.standins.worker import look_after

HOME = Path("/root/.dapi")
LOOK_SECONDS = 10
FLUSH_SECONDS = 60
HARDWARE_LOOKS = 180  # every half hour


def main() -> None:
    """Serve until stopped; what is not flushed by then is flushed at the end."""
    state = ApiState(HOME, dict(os.environ))
    admin, public = Admin(state), Public(state)
    web.serve(9000, public.answer)
    web.serve(9100, callback.routes(seed_era=state.seed_era).answer)
    web.serve(9200, admin.answer)

    def work() -> None:
        looks = 0
        while True:
            time.sleep(LOOK_SECONDS)
            looks += 1
            look_after(state, with_hardware=looks % HARDWARE_LOOKS == 3)  # noqa: PLR2004  (soon after the start)
            if looks % (FLUSH_SECONDS // LOOK_SECONDS) == 0:
                state.flush()

    threading.Thread(target=work, daemon=True).start()
    web.run_until_stopped(state.flush)


if __name__ == "__main__":
    main()
