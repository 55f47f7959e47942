"""The decisions: campaign -> tenant -> publish group. Start reading at `group.rebuild`."""
