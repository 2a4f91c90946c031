"""Have two grammars of Redshift read every statement that mss sends there.

sqlfluff's is strict: it refuses what Redshift lacks, which is tried first. sqlglot's is another one, more lenient.

usage: statements.py FILE
"""

import logging
import sys

import sqlglot
from sqlfluff.core import Linter

# What Redshift lacks. A grammar that reads these would prove nothing.
LACKING = [
    "SELEC 1",
    "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
    "INSERT INTO t VALUES (1) RETURNING a",
    "SELECT a IS DISTINCT FROM b FROM t",
    "SAVEPOINT s",
    "COPY t FROM STDIN",
    "COPY t FROM 's3://bucket/folder/' IAM_ROLE default FORMAT AS PARKET",
    "LOCK TABLE t IN EXCLUSIVE MODE",
]

# sqlglot does not know it; AWS documents it at BEGIN, and sqlfluff reads it.
UNKNOWN_TO_SQLGLOT = ["BEGIN READ ONLY;"]

# sqlglot keeps these as they are.
UNREAD_BY_SQLGLOT = ["LOCK TABLE public.kpi_staging"]


def unparsable(linter, sql):
    return [v.desc() for v in linter.parse_string(sql).violations]


def main(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    linter = Linter(dialect="redshift")
    failed = 0
    for sql in LACKING:
        if not unparsable(linter, sql + ";\n"):
            print(f"sqlfluff reads {sql!r}, which Redshift does not")
            failed += 1
    for fault in unparsable(linter, text):
        print(f"{path}: sqlfluff: {fault}")
        failed += 1

    for sql in UNKNOWN_TO_SQLGLOT:
        text = text.replace(sql + "\n", "BEGIN;\n")
    logging.disable(logging.WARNING)  # of what it keeps as it is
    try:
        parsed = [e for e in sqlglot.parse(text, read="redshift") if e is not None]
    except sqlglot.errors.ParseError as e:
        print(f"{path}: sqlglot: {e}")
        return 1
    for expression in parsed:
        if isinstance(expression, sqlglot.exp.Command) and expression.sql("redshift") not in UNREAD_BY_SQLGLOT:
            print(f"{path}: sqlglot cannot read {expression.sql('redshift')!r}")
            failed += 1
    if len(parsed) < 80:
        print(f"{path}: only {len(parsed)} statements")
        failed += 1
    if failed == 0:
        print(f"{len(parsed)} statements are Redshift's SQL to sqlfluff and to sqlglot")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
