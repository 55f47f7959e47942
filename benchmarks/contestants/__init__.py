"""The ways to move the rows. Each is a function of the arena that moves them once."""

from benchmarks.contestants import ceiling, load_path, pull, script, tools, windlass_run
from benchmarks.contestants.arena import Contestant

CONTESTANTS = (
    Contestant("windlass", "Windlass, end to end, verified and published", windlass_run.empty),
    Contestant("windlass-again", "the same over a live table that is full", windlass_run.full),
    Contestant("windlass-pull", "the same, the target pulling by itself", windlass_run.pulled),
    Contestant("load", "Windlass's load path alone, verified", load_path.verified),
    Contestant("load-bare", "Windlass's load path alone, not verified", load_path.bare),
    Contestant("pull", "`INSERT … SELECT FROM postgresql(…)`, not verified", pull.pull),
    Contestant("csv", "`COPY … CSV` piped into an HTTP insert", script.copy_csv),
    Contestant("script", "a plain psycopg + clickhouse-connect script", script.plain, 0.25),
    Contestant("sling", "sling", tools.sling, 0.25),
    Contestant("dlt", "dlt", tools.dlt, 0.25),
    Contestant("copy-adbc", "binary COPY to nowhere, read as Arrow (ADBC)", ceiling.adbc),
    Contestant("copy-psycopg", "binary COPY to nowhere, read as bytes (psycopg)", ceiling.psycopg_),
)
"""In the order of the table. `windlass` comes first: it leaves the plan that `load` uses."""
