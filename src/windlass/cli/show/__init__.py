"""How values look: as JSON with the documented keys, and as tables for a person."""
