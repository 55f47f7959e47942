"""Making staged rows visible: one file per path, each step safe to repeat (docs/publish.md)."""
