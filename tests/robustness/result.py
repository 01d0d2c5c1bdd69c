"""What a fault did, said in one line and, for scripts/chaos, in the file that PARVIS_RESULTS names."""

import json
import os


def report(fault, loops, injected, lost=0, doubled=0, recovery=0.0, note=""):
    """`injected`: how often something was broken; `recovery`: the longest time until all was well again, in seconds."""
    line = {"fault": fault, "loops": loops, "injected": injected, "lost": lost, "doubled": doubled,
            "recovery": round(recovery, 1), "note": note}
    print(f"  {fault}: {loops} loops, {injected} injected, lost {lost}, doubled {doubled}, longest recovery {recovery:.1f} s"
          + (f"; {note}" if note else ""), flush=True)
    if path := os.environ.get("PARVIS_RESULTS"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
