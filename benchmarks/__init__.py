"""The benchmark suite: Windlass against other ways to move the same rows, in ratios.

`make bench` runs it, `python -m benchmarks --help` explains it, docs/performance.md holds what came
of it. Each part of the suite is a module in `benchmarks.parts`, each way to move rows one in
`benchmarks.contestants`.
"""
