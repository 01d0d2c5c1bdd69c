"""The architecture, enforced: include table, sizes, banned calls, dead files. Run by ctest; every failure says what to do."""

import os
import re
import subprocess
import sys
import unittest

import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tracked(*suffixes):
    """Paths, relative to the checkout, of the files git knows or would know."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True,
                            check=False)
    if listed.returncode == 0:
        paths = listed.stdout.splitlines()
    else:  # an exported tree without .git
        skip = ("build", ".cache", ".parvis", ".git")
        paths = [os.path.relpath(os.path.join(d, f), ROOT) for d, dirs, files in os.walk(ROOT)
                 if not any(part in skip for part in os.path.relpath(d, ROOT).split(os.sep)[:1]) for f in files]
    return sorted(p for p in paths if p.endswith(suffixes) and os.path.exists(os.path.join(ROOT, p)))


def lines_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def strip_comment(line):
    return re.sub(r"//.*$", "", line)


def functions(lines):
    """(first line, length, header) of every function body in a C++ file: a brace opened after `)` and closed again."""
    text = [re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', '""', strip_comment(line)) for line in lines]
    stack, found = [], []
    raw = False
    for number, line in enumerate(text):
        if raw:
            raw = ')"' not in lines[number] and ")sql\"" not in lines[number]
            continue
        if re.search(r'R"\w*\(', lines[number]) and not re.search(r'\)\w*"', lines[number]):
            raw = True
            continue
        for column, char in enumerate(line):
            if char == "{":
                before = line[:column].strip() or (text[number - 1].strip() if number else "")
                is_function = bool(re.search(r"\)\s*(const|noexcept|override|final|mutable|->\s*[\w:<>,&* ]+|\s)*$", before)) \
                    and not re.match(r"^(if|for|while|switch|else|do|catch)\b|^\}\s*else", before)
                stack.append((number, is_function))
            elif char == "}" and stack:
                start, is_function = stack.pop()
                if is_function:
                    found.append((start + 1, number - start + 1, lines[start].strip()[:80]))
    return found


class Arch(unittest.TestCase):
    def report(self, problems):
        self.assertEqual([], problems, "\n" + "\n".join(problems))

    def test_include_table(self):
        own = tuple(d + "/" for d in os.listdir(os.path.join(ROOT, "services")) if
                    os.path.isdir(os.path.join(ROOT, "services", d))) + ("parvis/",)
        problems = []
        for path in tracked(".cc", ".h"):
            layer = rules.layer_of(path)
            if layer is None:
                continue
            name, may, never, advice = layer
            is_test = bool(re.search(r"_test\.cc$|_fuzz\.cc$|_bench\.cc$|testdata/|contract|fake", path))
            extra = rules.PLATFORM_TEST_MAY if path.startswith("services/platform/") else rules.TEST_MAY
            allowed = may + (extra if is_test else ())
            for number, line in enumerate(lines_of(path), 1):
                match = re.match(r'\s*#include\s+[<"]([^>"]+)[>"]', line)
                if not match:
                    continue
                header = match.group(1)
                if header.startswith(own):
                    if not header.startswith(tuple(allowed)):
                        problems.append(f"{path}:{number}: {name} may not include {header}: {advice}")
                elif any(re.match(pattern, header) for pattern in never):
                    problems.append(f"{path}:{number}: {name} may not include <{header}>: {advice}")
        self.report(problems)

    def test_no_file_or_function_is_too_long(self):
        problems = []
        for path in tracked(".cc", ".h", ".py", ".proto", ".sh", ".ts", ".sql"):
            lines = lines_of(path)
            limit = rules.MAIN_LINES_MAX if re.search(r"services/\w+/main\.cc$", path) else rules.FILE_LINES_MAX
            if len(lines) > limit:
                problems.append(f"{path}: {len(lines)} lines, at most {limit}: find the two things it does and part them")
            if path.endswith((".cc", ".h")):
                for first, length, header in functions(lines):
                    if length > rules.FUNCTION_LINES_MAX and not header.startswith(("TEST", "namespace")):
                        problems.append(f"{path}:{first}: {length} lines, at most {rules.FUNCTION_LINES_MAX}: {header}")
        self.report(problems)

    def test_banned_calls(self):
        problems = []
        for path in tracked(".cc", ".h"):
            for number, line in enumerate(lines_of(path), 1):
                for pattern, allowed, advice in rules.BANNED:
                    subject = line if "TODO" in pattern else strip_comment(line)
                    if re.search(pattern, subject) and not re.search(allowed, path):
                        problems.append(f"{path}:{number}: {line.strip()[:60]}: {advice}")
                if path.endswith(".h"):
                    for pattern, advice in rules.BANNED_IN_HEADERS:
                        if re.search(pattern, line):
                            problems.append(f"{path}:{number}: {line.strip()[:60]}: {advice}")
        self.report(problems)

    def test_no_dead_files(self):
        cmake = "\n".join("\n".join(lines_of(p)) for p in tracked("CMakeLists.txt"))
        included = set()
        for path in tracked(".cc", ".h"):
            for line in lines_of(path):
                match = re.match(r'\s*#include\s+"([^"]+)"', line)
                if match:
                    included.add(match.group(1))
        problems = []
        for path in tracked(".cc", ".h"):
            if path.endswith(".cc") and os.path.basename(path) not in cmake:
                problems.append(f"{path}: in no CMakeLists.txt: build it or delete it")
            if path.endswith(".h"):
                short = re.sub(r"^services/", "", path)
                if short not in included and path not in included:
                    problems.append(f"{path}: included by nobody: use it or delete it")
        self.report(problems)

    def test_every_service_has_its_parts(self):
        problems = []
        for service in ("accounts", "publishing", "ingestion", "moderation", "inbox", "metrics", "gateway", "sandbox"):
            for part in ("README.md", "main.cc", "config.h", "CMakeLists.txt"):
                if not os.path.exists(os.path.join(ROOT, "services", service, part)):
                    problems.append(f"services/{service}/{part} is missing: every service has one")
        self.report(problems)

    def test_the_scanner_finds_what_it_should(self):
        """A rule that cannot fail is no rule: each one must catch a planted fault."""
        name, may, never, _ = rules.layer_of("services/inbox/domain/reply.cc")
        self.assertEqual("domain", name)
        self.assertFalse("inbox/storage/x.h".startswith(may))
        self.assertFalse("publishing/domain/x.h".startswith(may))
        self.assertTrue(any(re.match(p, "grpcpp/grpcpp.h") for p in never))
        long = ["void F(int a) {"] + ["  a++;"] * 80 + ["}"]
        self.assertEqual([(1, 82, "void F(int a) {")], functions(long))
        self.assertTrue(re.search(rules.BANNED[0][0], "std::this_thread::sleep_for(x)"))
        self.assertIsNone(rules.layer_of("docs/x.md"))


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(__file__))
    unittest.main(verbosity=1)
