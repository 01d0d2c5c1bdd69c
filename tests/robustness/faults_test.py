"""F4 to F11, F13, F16 and F17 on one system with two replicas of every service; the table is in README.md.

Short forms by default; PARVIS_CHAOS=full (scripts/chaos) makes the outages longer and more. PARVIS_SEED repeats a run.
"""

from clock_faults import ClockFaults
from faults import FaultTest
from network_faults import NetworkFaults
from outside_faults import OutsideFaults
from server_faults import ServerFaults
from system import main


class Faults(ServerFaults, NetworkFaults, ClockFaults, OutsideFaults, FaultTest):
    proxied = True
    kafka_doors = ("kafka", "kafka.inbox")


if __name__ == "__main__":
    main()
