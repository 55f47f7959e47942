"""The deeds: each activity class gets its ports in the constructor and does one kind of work."""
