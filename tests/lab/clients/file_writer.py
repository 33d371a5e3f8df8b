"""Appends numbered lines to a file, each of them synced, until its standard input ends.

The first argument is the file. Prints "writing" after the first line, and in the end a JSON object:
  lines       how many were synced: 0, 1, 2, …
  longest     seconds that the slowest of them took
"""
import json, os, sys, threading, time

PAUSE = 0.05

stopping = threading.Event()


def wait_for_end():
    sys.stdin.read()
    stopping.set()


threading.Thread(target=wait_for_end, daemon=True).start()
lines, longest = 0, 0.0
with open(sys.argv[1], "w") as file:
    while not stopping.is_set():
        started = time.monotonic()
        file.write(f"{lines}\n")
        file.flush()
        os.fsync(file.fileno())
        longest = max(longest, time.monotonic() - started)
        lines += 1
        if lines == 1:
            print("writing", flush=True)
        time.sleep(PAUSE)
print(json.dumps({"lines": lines, "longest": longest}))
