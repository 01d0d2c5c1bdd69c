"""The benches of scripts/bench: what Parvis costs beside what it cannot do without. Ratios, never absolute promises."""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from context import ROOT, Bench  # noqa: E402
from parvis_local.show import Show  # noqa: E402
import capacity  # noqa: E402
import compare  # noqa: E402
import due  # noqa: E402
import ledger  # noqa: E402
import memory  # noqa: E402
import overload  # noqa: E402
import pipeline  # noqa: E402
import produce  # noqa: E402
import report  # noqa: E402
import stages  # noqa: E402
import webhook  # noqa: E402

# In this order: what needs no cluster first, so that nothing idles beside what is measured.
ROWS = {
    "produce": produce.produce, "unary": stages.unary, "batch": stages.batch, "assess": stages.assess, "fold": stages.fold,
    "fold_size": stages.fold_size, "ledger": ledger.ledger, "page": stages.page, "watch": stages.watch,
    "metrics": stages.metrics, "poll": stages.poll, "idle": webhook.idle, "pipeline": pipeline.pipeline,
    "replicas": pipeline.replicas, "pipeline_size": pipeline.pipeline_size, "capacity": capacity.capacity,
    "webhook": webhook.webhook, "due": due.due, "overload": overload.overload, "memory": memory.memory,
}
NOT_QUICK = ("fold_size", "replicas", "pipeline_size", "capacity", "overload", "memory")  # unless asked for by name


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME[,NAME]", help="only these rows: " + ", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="few pairs and small tables: three minutes for everything")
    parser.add_argument("--compare", metavar="REV", help="this checkout's bench binaries against those of a git revision")
    parser.add_argument("--json", default=os.path.join(ROOT, ".parvis/bench.json"), help="where the figures go")
    parser.add_argument("--markdown", action="store_true", help="prints the table of docs/performance.md as well")
    parser.add_argument("--seconds", type=int, default=120, help="longest measuring of one row, without its preparation")
    parser.add_argument("--stored", type=int, default=10_000_000, help="messages stored for fold_size and pipeline_size")
    parser.add_argument("--conversations", type=int, default=5_000_000, help="conversations stored for page")
    options = parser.parse_args()
    options.only = options.only.split(",") if options.only else []
    unknown = [name for name in options.only if name not in (compare.BINARIES if options.compare else ROWS)]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}")
    return options


def measure(bench):
    """Every row that was asked for; returns the names of those that failed."""
    names, failed = bench.options.only or [n for n in ROWS if not (bench.quick and n in NOT_QUICK)], []
    for name in names:
        try:
            ROWS[name](bench)
        except Exception as error:  # pylint: disable=broad-except
            # One row that cannot be measured here does not cost the others.
            bench.show.step(f"{name} failed: {type(error).__name__}: {str(error)[-400:]}")
            failed.append(name)
    return failed


def main():
    options, show = parse(), Show()
    bench = Bench(show, options)
    show.chapter("Measuring")
    try:
        failed = compare.compare(bench, options.compare) if options.compare else measure(bench)
    finally:
        bench.close()
    report.write(bench.results, options.json)
    report.show(show, bench.results)
    if options.markdown:
        print("\n" + report.markdown(bench.results))
    print(f"\n  figures: {os.path.relpath(options.json, ROOT)}")
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
