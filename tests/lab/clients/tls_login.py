"""Tries a client's certificate on servers that want one, each address and port.

Standard input is a JSON object:
  servers        [[address, port], …]
  ca, certificate, key   files
Prints a JSON object: by "address:port", "accepted" or the reason of whichever side refuses.
"""
import json, socket, ssl, sys

asked = json.load(sys.stdin)
context = ssl.create_default_context(cafile=asked["ca"])
context.load_cert_chain(asked["certificate"], asked["key"])


def attempt(address, port):
    try:
        with socket.create_connection((address, port), 10) as plain:
            with context.wrap_socket(plain, server_hostname=address) as connection:
                # With TLS 1.3 a server refuses after the client takes itself for connected. One that accepts waits for what is asked.
                connection.settimeout(3)
                try:
                    return "answered" if connection.recv(1) else "closed"
                except TimeoutError:
                    return "accepted"
    except ssl.SSLError as error:
        return error.reason


print(json.dumps({f"{address}:{port}": attempt(address, port) for address, port in asked["servers"]}))
