"""`python -m windlass` is `windlass`."""

from windlass.cli.main import entry

if __name__ == "__main__":
    entry()
