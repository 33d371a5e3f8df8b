"""Reads the numbered lines that another host appends to a file, opening it anew each time, until its standard input ends.

The first argument is the file. Prints "reading" after the first time, and in the end a JSON object:
  reads       how often it was read
  lines       how many whole lines the last one had
  longest     seconds that the slowest of them took
Ends with an error when it can't be read, and when what was there before is not.
"""
import json, sys, threading, time

PAUSE = 0.05

stopping = threading.Event()


def wait_for_end():
    sys.stdin.read()
    stopping.set()


threading.Thread(target=wait_for_end, daemon=True).start()
known, reads, longest = "", 0, 0.0
while not stopping.is_set():
    started = time.monotonic()
    with open(sys.argv[1]) as file:
        text = file.read()
    longest = max(longest, time.monotonic() - started)
    if not text.startswith(known):
        sys.exit(f"after {len(known)} characters the file has others: {text[-100:]!r}")
    known = text[: text.rfind("\n") + 1]
    reads += 1
    if reads == 1:
        print("reading", flush=True)
    time.sleep(PAUSE)
print(json.dumps({"reads": reads, "lines": known.count("\n"), "longest": longest}))
