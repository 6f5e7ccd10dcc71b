"""What `import respan_notebook` costs over `import pandas`, as a ratio of medians.

Each import runs in a fresh interpreter, the two in turn. Run with: python
tests/benchmarks/import_time.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 7


def seconds(module: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
    return time.perf_counter() - start


def main() -> None:
    modules = ("pandas", "respan_notebook")
    for module in modules:
        seconds(module)  # Compiles bytecode and warms the file cache.
    times: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(RUNS):
        for module in modules:
            times[module].append(seconds(module))
    medians = {module: statistics.median(runs) for module, runs in times.items()}
    for module, median in medians.items():
        ratio = median / medians["pandas"]
        print(f"import {module:16} {median * 1000:6.0f} ms   {ratio:.2f}x")


if __name__ == "__main__":
    main()
