"""Writes rows to whichever server takes them, as an application does, with retries, until its standard input ends.

The first line of standard input is a JSON object:
  servers     [[address, port], …] that may be the source
  ca          certificate authority, PEM
  user, password, database
  table       has a primary key `id`
Each further line is a JSON object with those of these settings that are others for the connections from then on.

Prints "writing" when it has written, and in the end a JSON object:
  rows        how many were acknowledged; their ids are 1 to that number
  errors      how often the client raised which error before a row was accepted
  longest     seconds between two acknowledged rows, at most
"""
import collections, json, ssl, sys, threading, time
import pymysql

PAUSE = 0.01
# Rows that a connection serves, so that logins are tried all the time as well.
LIFE = 20

settings = json.loads(sys.stdin.readline())
stopping = threading.Event()
errors = collections.Counter()
rows, longest = [], 0.0


def connect(number):
    address, port = settings["servers"][number % len(settings["servers"])]
    return pymysql.connect(
        host=address,
        port=port,
        user=settings["user"],
        password=settings["password"],
        database=settings["database"],
        ssl=ssl.create_default_context(cadata=settings["ca"]),
        autocommit=True,
        connect_timeout=3,
        read_timeout=15,
        write_timeout=15,
    )


def write():
    global longest
    connection, server, served, last = None, 0, 0, time.monotonic()
    while not stopping.is_set():
        row = len(rows) + 1
        try:
            if connection is None or served >= LIFE:
                if connection is not None:
                    connection.close()
                connection, served = connect(server), 0
            with connection.cursor() as cursor:
                # Again, when the answer to the first attempt was lost.
                cursor.execute(f"INSERT INTO {settings['table']} (id) VALUES (%s) ON DUPLICATE KEY UPDATE id = id", (row,))
        except Exception as error:
            code = error.args[0] if error.args else ""
            errors[f"{type(error).__name__} {code}"] += 1
            connection, server = None, server + 1
            time.sleep(0.05)
            continue
        rows.append(row)
        served += 1
        longest = max(longest, time.monotonic() - last)
        last = time.monotonic()
        if row == 1:
            print("writing", flush=True)
        time.sleep(PAUSE)


worker = threading.Thread(target=write)
worker.start()
for line in sys.stdin:
    settings.update(json.loads(line))
stopping.set()
worker.join()
print(json.dumps({"rows": len(rows), "errors": errors, "longest": longest}))
