"""Runs the fault tests one file after the other and sums up what they report; see scripts/chaos."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# fault -> (what is broken, file below tests/, tests in it). A file that is not there is listed as missing: a test of its own
# folder reports with robustness/result.py and has its line here.
FAULTS = {
    "F1": ("kill -9 of every replica", "robustness/kill_test.py", ["KillLoops"]),
    "F2": ("killed between the network's yes and ours", "robustness/delivery_test.py",
           ["Delivery.test_answers_that_never_arrive_and_a_killed_publisher"]),
    "F3": ("a consumer sleeps past its session", "robustness/stream_test.py",
           ["Stream.test_a_consumer_that_slept_past_its_session_is_fenced"]),
    "F4": ("Kafka killed, restarted, frozen", "robustness/faults_test.py",
           ["Faults.test_f04_kafka_is_killed_restarted_and_frozen"]),
    "F5": ("PostgreSQL killed, stopped, frozen", "robustness/faults_test.py",
           ["Faults.test_f05_postgresql_is_killed_stopped_and_frozen"]),
    "F6": ("the answer to COMMIT is lost", "robustness/faults_test.py",
           ["Faults.test_f06_nobody_hears_that_the_commit_succeeded"]),
    "F7": ("blackholes to PostgreSQL and Kafka", "robustness/faults_test.py",
           ["Faults.test_f07_blackholes_one_way_and_both_ways"]),
    "F8": ("500 ms, 1-byte slices, resets", "robustness/faults_test.py", ["Faults.test_f08_slow_sliced_and_reset"]),
    "F9": ("disks are full", "robustness/faults_test.py",
           ["Faults.test_f09_the_disk_of_kafka_is_full", "Faults.test_f09_the_disk_of_postgresql_is_full"]),
    "F10": ("clocks wrong by 10 minutes, and stepping", "robustness/faults_test.py",
            ["Faults.test_f10_the_clocks_of_publishing_are_wrong_and_step"]),
    "F11": ("rebalance storm", "robustness/faults_test.py", ["Faults.test_f11_members_join_and_leave_all_the_while"]),
    "F12": ("2 and 10 times the capacity", "overload/overload_test.py",
            ["Overload.test_webhooks_beyond_capacity_are_refused_shared_out_and_none_acknowledged_is_lost"]),
    "F13": ("the networks are down", "robustness/faults_test.py", ["Faults.test_f13_the_networks_are_down_and_come_back"]),
    "F14": ("one workspace floods", "overload/overload_test.py",
            ["Overload.test_a_flood_of_one_workspace_is_refused_and_the_other_is_served"]),
    "F15": ("poison, records of a newer version", "robustness/stream_test.py",
            ["Stream.test_poison_is_parked_with_its_reason_and_the_partition_goes_on",
             "Stream.test_records_of_a_newer_version_are_kept_or_parked_and_never_dropped"]),
    "F16": ("the outbox's relay is cut off", "robustness/faults_test.py",
            ["Faults.test_f16_the_outbox_grows_and_drains"]),
    "F17": ("a token is revoked", "robustness/faults_test.py",
            ["Faults.test_f17_a_token_is_revoked_in_the_middle_of_a_campaign"]),
    "F19": ("the store of media is away", "robustness/media_store_test.py",
            ["MediaStore.test_f19_pictures_wait_for_their_store_and_go_out_once"]),
}
HEAD = ("fault", "what is broken", "loops", "injected", "lost", "doubled", "recovery", "")


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    parser.add_argument("--only", metavar="F7,F9", help="only these faults")
    parser.add_argument("--loops", type=int, metavar="N", help="kill loops (default 200, quick 20)")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 100_000), help="repeats a run")
    parser.add_argument("--quick", action="store_true", help="short outages, as in scripts/test")
    parser.add_argument("--list", action="store_true", help="lists the faults and ends")
    options = parser.parse_args()
    options.loops = options.loops or (20 if options.quick else 200)
    options.faults = list(FAULTS) if not options.only else [f.strip().upper() for f in options.only.split(",")]
    if unknown := [fault for fault in options.faults if fault not in FAULTS]:
        parser.error(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    return options


def there(fault):
    return os.path.exists(os.path.join(ROOT, "tests", FAULTS[fault][1]))


def run(file, tests, options, results):
    """One test file in one process; its output is the progress. Returns its exit status, "late" when it took too long."""
    limit = options.loops * 10 + (1800 if options.quick else 7200)
    environment = dict(os.environ, PARVIS_SEED=str(options.seed), PARVIS_LOOPS=str(options.loops), PARVIS_RESULTS=results,
                       PARVIS_BUILD=os.path.abspath(options.build), PARVIS_CHAOS="quick" if options.quick else "full")
    child = subprocess.Popen([sys.executable, "-u", os.path.join(ROOT, "tests", file), *tests], env=environment,
                             start_new_session=True)
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        return "late"
    finally:
        if child.poll() is None:   # also when we are interrupted; its own children end with it
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def summary(fault, lines):
    """One row of the table; the lines are the fault's reports."""
    if not there(fault):
        return (fault, FAULTS[fault][0], "", "", "", "", "", "no test here")
    if not lines:
        return (fault, FAULTS[fault][0], "", "", "", "", "", "NO RESULT")
    total = {key: sum(line[key] for line in lines) for key in ("loops", "injected", "lost", "doubled")}
    longest = max(line["recovery"] for line in lines)
    return (fault, FAULTS[fault][0], total["loops"], total["injected"], total["lost"], total["doubled"],
            f"{longest:.1f} s" if longest else "–", "; ".join(filter(None, (line["note"] for line in lines))))


def table(rows):
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(HEAD) - 1)]
    for row in rows:
        cells = [str(cell).ljust(width) if column < 2 else str(cell).rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells) + f"  {row[-1]}".rstrip(), flush=True)


def main():
    options = arguments()
    if options.list:
        table([HEAD, *((f, FAULTS[f][0], "", "", "", "", "", f"tests/{FAULTS[f][1]}" if there(f) else "no test here") for f in FAULTS)])
        return 0
    print(f"seed {options.seed}, {options.loops} kill loops, {'short' if options.quick else 'long'} outages", flush=True)
    results = os.path.join(ROOT, ".parvis", "chaos.ndjson")
    os.makedirs(os.path.dirname(results), exist_ok=True)
    open(results, "w", encoding="utf-8").close()
    began, failed = time.monotonic(), []
    files = list(dict.fromkeys(FAULTS[fault][1] for fault in options.faults if there(fault)))
    for number, file in enumerate(files):
        chosen = [fault for fault in options.faults if FAULTS[fault][1] == file]
        print(f"\n[{number + 1}/{len(files)}, {time.monotonic() - began:.0f} s] tests/{file}: {', '.join(chosen)}", flush=True)
        status = run(file, [test for fault in chosen for test in FAULTS[fault][2]], options, results)
        if status != 0:
            failed.append(f"tests/{file} (status {status})")
    with open(results, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    print(f"\nseed {options.seed}, {time.monotonic() - began:.0f} s")
    table([HEAD, *(summary(fault, [line for line in lines if line["fault"] == fault]) for fault in options.faults)])
    bad = sum(line["lost"] + line["doubled"] for line in lines)
    for name in failed:
        print(f"  did not hold: {name}; what and why is above")
    return 1 if bad or failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
