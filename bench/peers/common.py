"""What the peers' programs share: the command line, and the canonical form of the KPI rows.

    X_jobs.py RAW OUT JOB [--threads 2] [--variant V]

Job metadata writes OUT/songs/*.parquet and OUT/users/*.parquet, integrate OUT/integrated/*.parquet, kpi
OUT/kpi/kpi_type=T/*.parquet and OUT/kpi.csv. What they compute is that of docs/contract.md, without rejects.
"""
import argparse
import os
import shutil

KPI_COLUMNS = ["kpi_type", "group_by", "genre_listen_count", "genre_avg_duration", "genre_popularity_index", "top_track", "top_artist"]


def main(**jobs):
    """Runs one of the jobs, which are functions of the command line; kpi returns its rows, in KPI_COLUMNS' order."""
    p = argparse.ArgumentParser()
    p.add_argument("raw")
    p.add_argument("out")
    p.add_argument("job", choices=list(jobs))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--variant", default="")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    rows = jobs[a.job](a)
    if a.job == "kpi":
        with open(os.path.join(a.out, "kpi.csv"), "wb") as f:
            f.write(kpi_csv(rows))


def fresh(*path):
    d = os.path.join(*path)
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(d)
    return d


def _num(x):
    return "\\N" if x is None else "%.6f" % x


def _text(s):
    if s is None:
        return "\\N"
    return '"' + s.replace('"', '""') + '"' if any(c in s for c in ',"\n\r\\') or s == "" else s


def kpi_csv(rows):
    """A header, then one line per KPI row, sorted as bytes. \\N is NULL, floats have six decimals, UTF-8, LF."""
    lines = sorted(",".join([_text(r[0]), _text(r[1]), str(int(r[2])), _num(r[3]), _num(r[4]), _text(r[5]), _text(r[6])]).encode()
                   for r in rows)
    return b"\n".join([",".join(KPI_COLUMNS).encode(), *lines, b""])
