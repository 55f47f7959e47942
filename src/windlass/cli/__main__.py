"""`python -m windlass.cli` is `windlass`."""

from windlass.cli.main import entry

if __name__ == "__main__":
    entry()
