"""Logs in to each node of a Redis Cluster, on a new connection each time, again and again, until its standard input ends.

The first line of standard input is a JSON object:
  nodes       [[address, port], …]
  ca          certificate authority, PEM
  password
Each further line is a JSON object with those of these settings that are others from then on.

Prints "logged in" after the first round, and in the end a JSON object:
  logins      how many were accepted
  errors      how often one was refused, and why
"""
import collections, json, os, sys, tempfile, threading, time
import redis

PAUSE = 0.05

settings = json.loads(sys.stdin.readline())
authority = tempfile.NamedTemporaryFile("w", suffix=".pem")
authority.write(settings["ca"])
authority.flush()
stopping = threading.Event()


def read_settings():
    for line in sys.stdin:
        settings.update(json.loads(line))
        # Whole at any time: clients read it by its name.
        with open(authority.name + ".next", "w") as file:
            file.write(settings["ca"])
        os.replace(authority.name + ".next", authority.name)
    stopping.set()


threading.Thread(target=read_settings, daemon=True).start()
logins, errors, said = 0, collections.Counter(), False
while not stopping.is_set():
    for host, port in settings["nodes"]:
        client = redis.Redis(host=host, port=port, password=settings["password"], ssl=True, ssl_ca_certs=authority.name, socket_timeout=5)
        try:
            client.ping()
            logins += 1
        except redis.RedisError as error:
            errors[f"{type(error).__name__}: {error}"[:80]] += 1
        finally:
            client.close()
    if not said:
        print("logged in", flush=True)
        said = True
    time.sleep(PAUSE)
print(json.dumps({"logins": logins, "errors": errors}))
