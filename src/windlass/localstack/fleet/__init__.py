"""The fleet demo: the campaign of the work log of 2026-02-22, with troubles, and no operator."""
