"""A service of which only its presence matters to an operator."""

from gonka_state.lab.standins import web

if __name__ == "__main__":
    web.run_until_stopped()
