"""Rows that one bench binary measures alone: stages, stores and the RPC adapter."""


def _row(bench, name, binary, target, *arguments, ours="ours", against="against", **more):
    """Runs `binary` and measures its two sides; returns the result with the binary's notes."""
    with bench.binary(binary, *arguments) as process:
        result = bench.pair(name, process.side(ours), process.side(against), target, **more)
        result["notes"] = process.notes()
    return result


def assess(bench):
    """Assessment with the starter policy against the empty policy, on one thread."""
    with bench.binary("parvis-assess-bench") as process:
        bench.pair("assess stage / no-op stage", process.side("ours"), process.side("against"), 0.5)


def fold(bench):
    """The fold with its offset in the transaction against raw COPY."""
    stored = 20_000 if bench.quick else 100_000
    with bench.binary("parvis-fold-bench", f"--stored={stored}") as process:
        bench.pair(f"inbox fold / raw COPY, same indexes, {stored:,} stored", process.side("ours"), process.side("against"), 0.8)
        bench.pair(f"inbox fold / raw COPY without the feed's events, {stored:,} stored", process.side("ours"),
                   process.side("without_feed"), 0.8)


def fold_size(bench):
    """The fold into a large inbox against the fold into a small one."""
    small, large = (20_000, 200_000) if bench.quick else (100_000, bench.options.stored)
    with bench.binary("parvis-fold-bench", f"--stored={large}") as big, \
            bench.binary("parvis-fold-bench", f"--stored={small}") as little:
        bench.show.step(f"filling {small:,} and {large:,} stored messages")
        bench.pair(f"inbox fold at {large:,} stored / at {small:,}", big.side("ours"), little.side("ours"), 0.8)


def unary(bench):
    """A unary call through the adapter (key, role, workspace, deadline, trace, metrics) against an empty callback handler."""
    _row(bench, "unary call through the adapter / empty handler", "parvis-rpc-bench", 0.8)


def batch(bench):
    """Items of one call with 500 of them against items of calls with one."""
    _row(bench, "batched call (500 items) / unary calls", "parvis-rpc-bench", 25, ours="batched", against="ours")


def poll(bench):
    """10,000 channels of 50 workspaces polled by one replica's runner against as many threads that poll one after the other."""
    channels = 2_000 if bench.quick else 10_000
    with bench.binary("parvis-poll-bench", f"--channels={channels}") as process:
        result = bench.pair(f"polls of {channels:,} channels, chosen by the schedule / one after the other", process.side("ours"),
                            process.side("against"), 0.5)
        if not bench.quick:
            result["notes"] = process.notes()


def page(bench):
    """A page of the inbox against a look-up by primary key: 99th percentiles."""
    stored = 200_000 if bench.quick else bench.options.conversations
    _row(bench, f"inbox page at {stored:,} conversations / primary key, p99", "parvis-page-bench", 3, f"--stored={stored}",
         less_is_better=True, unit="µs")


def watch(bench):
    """A change committed and told to 1,000 watchers against a bare fan-out over gRPC streams: 99th percentiles."""
    watchers = 200 if bench.quick else 1000
    _row(bench, f"live watch, {watchers:,} watchers told / bare stream fan-out, p99", "parvis-watch-bench", 3,
         f"--watchers={watchers}", less_is_better=True, unit="µs")


def metrics(bench):
    """A metric over 90 days from its sums against counting the facts again; both must say the same."""
    facts = 100_000 if bench.quick else 1_000_000
    result = _row(bench, f"metrics over 90 days, {facts:,} facts / recount", "parvis-metrics-bench", 50, f"--facts={facts}")
    if not result["notes"]["equal"]:
        result["verdict"] = "wrong: the sums are not the recount's"
