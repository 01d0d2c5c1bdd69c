"""Sums up a test run: every GoogleTest case, and every other ctest as one. Prints failures, then the closing line."""

import glob
import os
import sys
import xml.etree.ElementTree as ET


def main(folder):
    passed, failed, skipped, again = 0, [], [], []
    for junit in sorted(glob.glob(os.path.join(folder, "*.junit.xml"))):
        suite = os.path.basename(junit).removesuffix(".junit.xml")
        for case in ET.parse(junit).getroot().iter("testcase"):
            name = case.get("name")
            # A test that was run again has written name.xml, name_1.xml, ...: the last one counts.
            details = sorted(glob.glob(os.path.join(folder, suite, f"{name}.xml")) +
                             glob.glob(os.path.join(folder, suite, f"{name}_[0-9].xml")), key=os.path.getmtime)
            if len(details) > 1:
                again.append(f"{suite}: {name}")
            details = details[-1:]
            ctest_failed = case.find("failure") is not None or case.get("status") == "fail"
            inner_failed = False
            for detail in details:
                for inner in ET.parse(detail).getroot().iter("testcase"):
                    label = f"{suite}: {name}: {inner.get('classname')}.{inner.get('name')}"
                    if inner.find("failure") is not None:
                        failed.append(label)
                        inner_failed = True
                    elif inner.get("result") == "skipped" or inner.find("skipped") is not None:
                        skipped.append(label)
                    elif inner.get("status") == "run":
                        passed += 1
            if not details and not ctest_failed:
                if case.get("status") in ("notrun", "disabled"):
                    skipped.append(f"{suite}: {name}")
                else:
                    passed += 1
            elif ctest_failed and not inner_failed:  # a crash, a time-out, a leak after the last case
                failed.append(f"{suite}: {name}")
    for label in again:
        print(f"passed at the second run only  {label}")
    for label in skipped:
        print(f"skipped  {label}")
    for label in failed:
        print(f"FAILED   {label}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
