"""Writes to a Redis Cluster as an application does, with retries, until its standard input ends.

The first line of standard input is a JSON object:
  nodes       [[address, port], …] to learn the cluster from
  ca          certificate authority, PEM
  password
  prefix      of the keys: key <prefix>:<worker>:<number> holds <number>
  confirm     whether WAIT makes sure of what was written so far, every few keys
  giveUp      seconds after which a key that is refused counts as failed

Prints "writing" when every worker has written, and in the end a JSON object:
  workers     for each, what became of its keys in order: [seconds since the epoch, slot, confirmed by a replica], or
              null where it gave up
  errors      how often a client raised which error before the key was accepted
  longest     seconds that the slowest key took
"""
import collections, json, logging, sys, tempfile, threading, time
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisClusterException

WORKERS = 4
PAUSE = 0.02
CONFIRM_EVERY = 10

# The client logs each redirection and each lost connection with its stack.
logging.disable(logging.CRITICAL)
settings = json.loads(sys.stdin.readline())
authority = tempfile.NamedTemporaryFile("w", suffix=".pem")
authority.write(settings["ca"])
authority.flush()
stopping = threading.Event()


def connect():
    return RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in settings["nodes"]],
        password=settings["password"],
        ssl=True,
        ssl_ca_certs=authority.name,
        # A node that is gone does not answer at all.
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        cluster_error_retry_attempts=1,
    )


class Worker(threading.Thread):
    def __init__(self, number):
        super().__init__(daemon=True)
        self.number = number
        self.writes = []
        self.errors = collections.Counter()
        self.longest = 0.0
        self.client = connect()
        # Keys that are acknowledged, but perhaps by their master alone, by the node that took them.
        self.pending = collections.defaultdict(list)

    def key(self, index):
        return f"{settings['prefix']}:{self.number}:{index}"

    def run(self):
        while not stopping.is_set():
            index = len(self.writes)
            if self.write(index) and settings["confirm"]:
                self.pending[self.client.get_node_from_key(self.key(index)).name].append(index)
                if index % CONFIRM_EVERY == 0:
                    self.confirm()
            time.sleep(PAUSE)

    def reconnect(self):
        try:
            self.client = connect()
        except Exception as error:
            self.errors[type(error).__name__] += 1

    def write(self, index):
        started = time.monotonic()
        while True:
            try:
                self.client.set(self.key(index), str(index))
                self.writes.append([time.time(), key_slot(self.key(index).encode()), False])
                return True
            except Exception as error:
                self.errors[type(error).__name__] += 1
                # redis-py 4.3 can't learn the slots anew once its first node went away: it copies what holds a lock by then.
                if type(error) is RedisClusterException:
                    self.reconnect()
                if time.monotonic() - started > settings["giveUp"]:
                    self.writes.append(None)
                    return False
                time.sleep(0.05)
            finally:
                self.longest = max(self.longest, time.monotonic() - started)

    def confirm(self):
        for name, indexes in self.pending.items():
            try:
                last = indexes[-1]
                node = self.client.get_redis_connection(self.client.get_node(node_name=name))
                # WAIT counts from the last write of its own connection, which is later than those to be confirmed.
                pipeline = node.pipeline(transaction=False)
                pipeline.set(self.key(last), str(last)).wait(1, 200)
                if pipeline.execute()[1] >= 1:
                    for index in indexes:
                        self.writes[index][2] = True
            except Exception as error:
                self.errors[f"WAIT: {type(error).__name__}"] += 1
        self.pending.clear()


workers = [Worker(number) for number in range(WORKERS)]
for worker in workers:
    worker.start()
while not all(worker.writes for worker in workers):
    time.sleep(0.05)
print("writing", flush=True)
sys.stdin.read()
stopping.set()
for worker in workers:
    worker.join()
print(
    json.dumps(
        {
            "workers": [worker.writes for worker in workers],
            "errors": sum((worker.errors for worker in workers), collections.Counter()),
            "longest": max(worker.longest for worker in workers),
        }
    )
)
