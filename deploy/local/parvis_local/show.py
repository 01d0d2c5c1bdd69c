"""What a person sees: a line per step, counts that move, tables."""

import sys
import time
import unicodedata


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Show:
    def __init__(self, out=sys.stdout):
        self._out, self._began = out, time.monotonic()
        self._live = out.isatty()
        self._open = False
        self._last = 0.0

    def _clock(self):
        return f"{time.monotonic() - self._began:6.1f}s"

    def _print(self, text, end="\n"):
        print(text, end=end, file=self._out, flush=True)

    def chapter(self, title):
        self._close()
        self._print(f"\n\033[1m{title}\033[0m" if self._live else f"\n{title}")

    def step(self, text):
        """A step that is done."""
        self._close()
        self._print(f"  {self._clock()}  {text}")

    def progress(self, text):
        """A step under way: overwritten on a terminal, at most one line every two seconds elsewhere."""
        if self._live:
            self._print(f"\r\033[K  {self._clock()}  {text}", end="")
            self._open = True
        elif time.monotonic() - self._last > 2:
            self._last = time.monotonic()
            self._print(f"  {self._clock()}  {text}")

    def _close(self):
        if self._open:
            self._print("")
            self._open = False

    def table(self, header, rows):
        self._close()
        lines = [[str(c) for c in row] for row in [header, *rows]]
        widths = [max(width(line[i]) for line in lines) for i in range(len(header))]

        def line(cells):
            return "  " + "  ".join(c + " " * (w - width(c)) if i == 0 else " " * (w - width(c)) + c
                                    for i, (c, w) in enumerate(zip(cells, widths)))

        self._print("")
        self._print(line(lines[0]))
        self._print("  " + "  ".join("─" * w for w in widths))
        for cells in lines[1:]:
            self._print(line(cells))
