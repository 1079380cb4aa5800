"""A service of which only its presence matters to an operator: explorer, bridge, versiond, proxy-ssl (gonka-contract 5.2)."""

from gonka_state.lab.standins import web

if __name__ == "__main__":
    web.run_until_stopped()
