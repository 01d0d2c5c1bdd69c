"""What docs/operations.md says there is, is there: every degraded mode and nothing else called one, metrics, settings and reasons; and
what somebody should be called for is on the page."""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# By their names metrics that only grow, or rise, when something is wrong.
ALARMING = re.compile(r"_(failures|errors|gaps|rebuilds|rejected|needs_human|unknown_network|missing|rate_limited)_total$|"
                      r"_(oldest|late|skew)_seconds$|_left_out$|_lag_records$")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def sources():
    """All that services are made of, their tests and the sandbox aside."""
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, "services")):
        if os.path.relpath(folder, ROOT).startswith("services/sandbox"):
            continue
        found += [read(os.path.join(folder, name)) for name in names if name.endswith((".cc", ".h")) and not name.endswith("_test.cc")]
    return "\n".join(found)


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page, cls.code = read("docs/operations.md"), sources()
        cls.quoted = re.findall(r"`([^`]+)`", cls.page)

    def test_every_mode_is_explained(self):
        modes = re.findall(r'\{Mode::\w+, "(\w+)"', read("services/platform/obs/degraded.cc"))
        page = self.page.split("## Degraded modes")[1].split("\n###")[0]
        self.assertEqual(modes, re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
        self.assertGreaterEqual(len(modes), 10)

    def test_every_metric_is_there_and_those_that_alarm_are_on_the_page(self):
        made = set(re.findall(r'"(parvis_[a-z_]+)"', self.code))
        named = {re.match(r"parvis_[a-z_]+", word).group(0) for word in self.quoted if word.startswith("parvis_")}
        self.assertEqual(set(), named - made)
        alarming = {name for name in made if ALARMING.search(name)}
        self.assertEqual(set(), alarming - named)
        self.assertGreaterEqual(len(alarming), 15)

    def test_every_reason_is_there(self):
        reasons = {word.rstrip("*") for word in self.quoted if re.fullmatch(r"[A-Z]+(_[A-Z]+)+_?\*?", word)}
        self.assertEqual(set(), {reason for reason in reasons if f'"{reason}' not in self.code})
        self.assertGreaterEqual(len(reasons), 20)

    def test_every_setting_is_there(self):
        settings = set(re.findall(r"`--(\w+)`", read("docs/reference/config.md")))
        table = self.page.split("## Overload")[1].split("\n## ")[0]
        named = {name for row in re.findall(r"^\|[^|]*\|([^|]*)\|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
        named |= {word.split("=")[0][2:] for word in self.quoted if word.startswith("--")}
        self.assertEqual(set(), named - settings)
        self.assertGreaterEqual(len(named), 15)


if __name__ == "__main__":
    unittest.main()
