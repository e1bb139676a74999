"""Answers requests of the bench: one JSON object a line on standard input, one a line on standard output.

A request is {"id", "method", "params"}; the answer is {"id", "result"} or {"id", "error"}. Methods: `open` (once,
first), `check` (numbers that every peer must agree on), `run` (one timed run), `gemm` (speed of a matrix product)
and `memory` (peak of the process).
"""

import json
import os
import platform
import statistics
import sys
import time
import traceback
from typing import Any, Callable

import torch

# a turn repeats what is short for so long, one after the other as in use, and gives the mean: one alone is a cold one
LEAST_SECONDS = 0.5


def serve(open_work: Callable[[dict], Any]) -> None:
    """Serves until standard input ends. `open_work` gives an object with `check(case)` and `run(case)`."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    # what libraries print must not be taken for an answer
    os.dup2(2, 1)
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        method, params = request["method"], request.get("params", {})
        try:
            if method == "open":
                torch.set_num_threads(params["threads"])
                torch.set_num_interop_threads(1)
                work = open_work(params)
                result = {"versions": versions(), "threads": torch.get_num_threads()}
            elif method == "gemm":
                result = {"gflops": gemm_gflops(params["seconds"])}
            elif method == "memory":
                result = {"peakBytes": peak_bytes()}
            elif method == "check":
                result = {"values": work.check(params["case"])}
            elif method == "run":
                result = work.run(params["case"])
            else:
                raise ValueError(f"expected a method that is known, got {method}")
            answer = json.dumps({"id": request["id"], "result": result}, allow_nan=False)
        except Exception as error:
            traceback.print_exc()
            answer = json.dumps({"id": request["id"], "error": f"{type(error).__name__}: {error}"})
        answers.write(answer + "\n")


def mean_seconds(run: Callable[[], Any]) -> float:
    seconds: list[float] = []
    while sum(seconds) < LEAST_SECONDS:
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return statistics.mean(seconds)


def versions() -> dict:
    found = {"python": platform.python_version(), "torch": torch.__version__}
    if "transformers" in sys.modules:
        found["transformers"] = sys.modules["transformers"].__version__
    return found


def peak_bytes() -> int | None:
    """Peak resident set of this process; None where the system does not say."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def gemm_gflops(budget_seconds: float, size: int = 1024) -> float:
    """Median speed of a square float32 matrix product, after one to warm up."""
    left, right = torch.full((size, size), 0.5), torch.full((size, size), 0.25)
    left @ right
    seconds: list[float] = []
    begin = time.perf_counter()
    while len(seconds) < 3 or time.perf_counter() - begin < budget_seconds:
        before = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - before)
    return 2 * size**3 / statistics.median(seconds) / 1e9
