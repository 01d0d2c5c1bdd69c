"""The figures for people and for files."""

import json
import subprocess


def write(results, path):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1, ensure_ascii=False)


def _range(result, low, high):
    return f"{result[low]}–{result[high]}" if low in result else ""


def _figure(result, key):
    return f"{result[key]:,} {result.get('unit', '')}".strip() if key in result else ""


def _target(result):
    if result.get("target") is None:
        return ""
    return f"{'≤' if result.get('less_is_better') else '≥'} {result['target']}"


def _cells(result):
    return (result["name"], result["ratio"], _range(result, "low", "high"), _range(result, "control_low", "control_high"),
            _figure(result, "ours"), _figure(result, "against"), _target(result), result["verdict"])


HEADER = ("what", "ratio", "95 %", "control", "ours", "against", "bar", "verdict")


def show(screen, results):
    screen.table(HEADER, [_cells(result) for result in results])


def _revision():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def markdown(results):
    """The table of docs/performance.md, and where the time of one event goes."""
    lines = [f"Revision {_revision()}.", "", "| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    lines += ["| " + " | ".join(str(cell) for cell in _cells(result)) + " |" for result in results]
    for result in results:
        if "microseconds_per_event" in result:
            lines += ["", "| where the time of one event goes | µs |", "|---|---|"]
            lines += [f"| {part} | {cost} |" for part, cost in result["microseconds_per_event"].items()]
            lines += [f"| Σ of the stages | {result['stage_microseconds']} |", f"| Σ of all | {result['all_microseconds']} |"]
        if "lateness" in result:
            lines += ["", "| later than its second by | deliveries |", "|---|---|"]
            lines += [f"| {label} | {count} |" for label, count in result["lateness"].items()]
    return "\n".join(lines)
