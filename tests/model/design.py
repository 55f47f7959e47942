"""The guards of the design, each of which can be taken away to see that it is needed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Design:
    """What Windlass does, when all is True.

    `sweeps`: a later attempt drops the staging of the one before. `asks`: an attempt that has
    made a table asks the ledger whether it is still the latest before it goes on; ended groups
    retire their attempts. `repeats`: a publish attempt swaps every partition again, whatever
    earlier attempts did. `resumes`: a group that began to append is never loaded again.
    `counts_first`: the source is counted before the catch-up that has to find nothing. `buries`:
    what FINAL hides outside the range goes before its successor. `catches_up`: rows that changed
    after the snapshot are brought over.
    """

    sweeps: bool = True
    asks: bool = True
    repeats: bool = True
    resumes: bool = True
    counts_first: bool = True
    buries: bool = True
    catches_up: bool = True
