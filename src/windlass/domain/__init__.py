"""The words of the trade as frozen values: no I/O, no drivers, no clock."""
