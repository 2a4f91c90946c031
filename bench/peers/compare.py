"""Measures mss beside DuckDB, Polars and, if asked for, Spark: `make bench-peers`.

    compare.py MSS WORK [--plays N] [--files F] [--runs R] [--threads T] [--spark PYTHON]

Each job of each engine is a process of its own and is measured whole, start-up included, by what the operating system says
when it ends. The engines take turns, run by run, so that a noisy minute hits all alike; the first round is not counted. Each reads
what it wrote itself in the job before. At the end the KPI rows of all must be equal. Only the standard library is imported here:
a child's peak memory counts from that of the process which starts it, and this one stays small.
"""
import argparse
import glob
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import namedtuple

from common import KPI_COLUMNS, kpi_csv

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = {"metadata": ["songs", "users"], "integrate": ["integrated"], "kpi": ["kpi"]}
MSS_OUTPUT = {"metadata": ["curated/processed-metadata"], "integrate": ["curated/mss-transformed"], "kpi": ["analytics/kpi_output"]}

# command: of a job and its output folder; output: a job's folders below that.
Engine = namedtuple("Engine", "name command output")
Run = namedtuple("Run", "wall cpu peak")


def input_of(work, plays, files):
    raw = os.path.join(work, f"{plays}-{files}", "raw")
    if not os.path.exists(os.path.join(raw, "manifest.json")):  # written last
        subprocess.run([sys.executable, f"{HERE}/gen_data.py", raw, "--streams", str(plays), "--files", str(files), "--seed", "1"],
                       check=True, stdout=sys.stderr)
    return raw


def engines_of(a, raw):
    mss = os.path.abspath(a.mss)

    def own(job, out):
        return [mss, "run", job, "--full", "--raw", raw, "--curated", f"{out}/curated", "--analytics", f"{out}/analytics", "--temp",
                f"{out}/temp", "--warehouse", f"sqlite:{out}/warehouse.db", "--no-progress", "--log-level", "warn",
                "--threads", str(a.threads)]

    def peer(name, program, variant="", python=sys.executable):
        args = ["--threads", str(a.threads), "--variant", variant]
        return Engine(name, lambda job, out: [python, f"{HERE}/{program}", raw, out, job, *args], JOBS)

    engines = [Engine("mss", own, MSS_OUTPUT), peer("DuckDB, no swap", "duckdb_jobs.py", "probe"),
               peer("DuckDB, planner", "duckdb_jobs.py", "planner"), peer("Polars", "polars_jobs.py")]
    return engines + ([peer("Spark", "spark_jobs.py", python=os.path.abspath(a.spark))] if a.spark else [])


def measure(command, log):
    with open(log, "wb") as f:
        began = time.perf_counter()
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f)
        _, status, used = os.wait4(p.pid, 0)
        wall = time.perf_counter() - began
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        with open(log, errors="replace") as f:
            sys.exit(f"{' '.join(command)}: exit {p.returncode}\n{f.read()[-3000:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)  # Linux counts KiB


def parquet_bytes(folders):
    return sum(os.path.getsize(f) for d in folders for f in glob.glob(f"{d}/**/*.parquet", recursive=True))


def spread(values, digits):
    m, lo, hi = (f"{v:.{digits}f}" for v in (statistics.median(values), min(values), max(values)))
    return f"{m} ({lo}–{hi})"


def table(job, engines, runs, sizes):
    """Prints the job's table; the fastest peer is that with the lowest median wall time."""
    wall = {e.name: statistics.median(r.wall for r in runs[e.name]) for e in engines}
    print(f"\n| {job} | wall s | CPU s | peak MiB | output MB | wall / mss |\n|---|---|---|---|---|---|")
    for e in engines:
        r = runs[e.name]
        print(f"| {e.name} | {spread([x.wall for x in r], 2)} | {spread([x.cpu for x in r], 2)} | {spread([x.peak for x in r], 0)} "
              f"| {sizes[e.name] / 1e6:.3g} | {wall[e.name] / wall['mss']:.2f} |")
    best = min((e.name for e in engines[1:]), key=wall.get)
    print(f"\nThe fastest peer is {best}: {wall[best] / wall['mss']:.2f} × the time of mss.", flush=True)


def machine(a, raw):
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as f:
        memory = int(f.readline().split()[1]) / 2**20
    versions = [subprocess.run([a.mss, "version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]]
    versions += [f"{n} {importlib.metadata.version(n)}" for n in ("duckdb", "polars")]
    if a.spark:
        code = "import importlib.metadata as m; print('pyspark', m.version('pyspark'))"
        versions.append(subprocess.run([a.spark, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    size = sum(os.path.getsize(f) for f in glob.glob(raw + "/streams/*"))
    print(f"{cpu}, {os.cpu_count()} cores of which {len(os.sched_getaffinity(0))} are used, {memory:.0f} GiB, Linux {platform.release()}; "
          f"load before: {os.getloadavg()[0]:.2f}.\n{'; '.join(versions)}; Python {platform.python_version()}.\n"
          f"{a.plays:,} plays, {size / 1e6:.0f} MB in {a.files} file(s); {a.threads} threads; medians (min–max) of {a.runs} runs.", flush=True)


def equal_kpis(engines, out, mss):
    """Compares the KPI rows in the peers' canonical form; mss gives its own by a query of the warehouse, as JSON, which has NULLs."""
    sql = f"SELECT {', '.join(KPI_COLUMNS)} FROM public.kpi_table"
    text = subprocess.run([mss, "query", "--warehouse", f"sqlite:{out['mss']}/warehouse.db", "--sql", sql, "--format", "json"],
                          check=True, capture_output=True, text=True).stdout
    want = kpi_csv([[row[c] for c in KPI_COLUMNS] for row in json.loads(text)])
    differ = []
    for e in engines[1:]:
        with open(f"{out[e.name]}/kpi.csv", "rb") as f:
            got = f.read()
        if got != want:
            lines = sorted(set(got.splitlines()) ^ set(want.splitlines()))
            differ.append(f"{e.name}: {len(lines)} lines differ from those of mss, as {lines[:2]}")
    rows = want.count(b"\n") - 1
    print("\n" + ("\n".join(differ) if differ else f"The {rows} KPI rows of all engines are equal."))
    return not differ and rows > 0


def main():
    p = argparse.ArgumentParser()
    p.add_argument("mss")
    p.add_argument("work")
    p.add_argument("--plays", type=int, default=10_000_000)
    p.add_argument("--files", type=int, default=10)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--spark", metavar="PYTHON", help="measure Spark too, with a Python that has pyspark")
    a = p.parse_args()
    # A runtime's helpers (garbage collection, say) get no core more than the threads that do the work.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:a.threads])
    raw = input_of(os.path.abspath(a.work), a.plays, a.files)
    engines = engines_of(a, raw)
    machine(a, raw)
    out = {e.name: os.path.join(os.path.dirname(raw), e.name.lower().replace(", ", "-").replace(" ", "-")) for e in engines}
    for d in out.values():
        os.makedirs(d, exist_ok=True)
    for job in JOBS:
        runs = {e.name: [] for e in engines}
        for i in range(1 + a.runs):
            for e in engines:
                r = measure(e.command(job, out[e.name]), f"{out[e.name]}/{job}.log")
                if i:
                    runs[e.name].append(r)
        sizes = {e.name: parquet_bytes(os.path.join(out[e.name], d) for d in e.output[job]) for e in engines}
        table(job, engines, runs, sizes)
    return 0 if equal_kpis(engines, out, a.mss) else 1


if __name__ == "__main__":
    sys.exit(main())
