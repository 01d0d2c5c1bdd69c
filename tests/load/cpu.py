"""Whose CPU time it was: the services, their database sessions, Kafka, the sandbox and whoever measures."""

import os

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()


def cpu_seconds(pid):
    """User and system time of a process so far (proc(5): utime, stime)."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_seconds(pid):
    """Of its children that have ended and were waited for (cutime, cstime)."""
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS


def rss_megabytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def busy_seconds():
    """CPU time that everybody on this machine has used, and the host has taken (proc(5), /proc/stat)."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = (int(field) for field in file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


class Accounts:
    """Readings of one cluster; the difference of two is what each part used in between.

    Parts are (owner, "process") and (owner, "database"): a session belongs to the service that its user is named after
    (pg_stat_activity.usename, `<service>_api` or `<service>_stream`). What PostgreSQL does for nobody in particular
    (checkpoints, WAL, vacuum) is ("postgres", "process"), and so are sessions that ended in between.
    """

    def __init__(self, cluster, sql):
        self._cluster, self._sql = cluster, sql
        self._postmaster = cluster.postgres._child.pid  # pylint: disable=protected-access
        self._kafka = cluster.kafka._child.pid  # pylint: disable=protected-access

    def read(self):
        used = {}

        def add(part, seconds):
            used[part] = used.get(part, 0.0) + seconds

        for name, child in self._cluster.children.items():
            if child.running():
                add((name.split("-")[0], "process"), cpu_seconds(child.pid))
        add(("kafka", "process"), cpu_seconds(self._kafka))
        me = os.times()
        add(("bench", "process"), me.user + me.system + me.children_user + me.children_system)
        self._read_database(add)
        return used

    def _read_database(self, add):
        owners = {int(pid): user.rsplit("_", 1)[0] for pid, user in self._sql.rows(
            "SELECT pid, usename FROM pg_stat_activity WHERE usename IS NOT NULL")}
        add(("postgres", "process"), cpu_seconds(self._postmaster) + children_seconds(self._postmaster))
        for pid in children_of(self._postmaster):
            try:
                seconds = cpu_seconds(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended just now: the postmaster has it from here on
            owner = owners.get(pid)
            add(("bench", "database") if owner == "postgres" else (owner, "database") if owner else ("postgres", "process"),
                seconds)


def difference(later, earlier):
    return {part: max(0.0, seconds - earlier.get(part, 0.0)) for part, seconds in later.items()}
