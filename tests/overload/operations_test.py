"""Every degraded mode of the catalogue is explained in docs/operations.md, and nothing else is called one there."""

import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


class Operations(unittest.TestCase):
    def test_every_mode_is_explained(self):
        modes = re.findall(r'\{Mode::\w+, "(\w+)"', read("services/platform/obs/degraded.cc"))
        page = read("docs/operations.md").split("## Degraded modes")[1].split("\n###")[0]
        self.assertEqual(modes, re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
        self.assertGreaterEqual(len(modes), 10)


if __name__ == "__main__":
    unittest.main()
