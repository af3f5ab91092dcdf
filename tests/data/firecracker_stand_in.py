#!/usr/bin/env python3
"""Speaks Firecracker's API as far as a runner uses it, and plays the guest of the machine that is asked for.

What it was asked is what its guest's program writes to standard output; the arguments of the program go to standard
error. Under the name `firecracker-refuse` or `firecracker-die` it misbehaves.
"""
import json
import os
import socket
import struct
import sys

if sys.argv[1:] == ["--version"]:
    print("Firecracker v1.15.1\n\nand more")
    sys.exit(0)
assert sys.argv[1:3] == ["--api-sock", "api"], sys.argv


def read_request(stream):
    line = stream.readline()
    if not line:
        return None
    size = 0
    while (header := stream.readline().strip()) != b"":
        name, value = header.split(b":", 1)
        if name.lower() == b"content-length":
            size = int(value)
    method, path, _ = line.decode().split(" ")
    return method, path, json.loads(stream.read(size))


def answer(connection, status, body=b""):
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    connection.sendall(b"HTTP/1.1 %s\r\nServer: Firecracker API\r\n%s\r\n" % (status, length) + body)


def record(kind, payload=b""):
    return kind.encode() + struct.pack("<I", len(payload)) + payload


def read_order(control):
    head = control.recv(5, socket.MSG_WAITALL)
    if len(head) < 5:
        sys.exit(0)
    size = struct.unpack("<I", head[1:])[0]
    return chr(head[0]), control.recv(size, socket.MSG_WAITALL) if size else b""


def play(asked):
    ports = []
    for port in (5001, 5002, 5003):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect("%s_%d" % (asked["/vsock"]["uds_path"], port))
        ports.append(connection)
    control, out, err = ports
    control.sendall(record("H", struct.pack("<Q", 1)))
    arguments = []
    while True:
        kind, payload = read_order(control)
        if kind == "a":
            arguments.append(payload)
        if kind == "s":
            break
    control.sendall(record("S"))
    said = json.dumps(asked, sort_keys=True).encode()
    out.sendall(said)
    err.sendall(b"|".join(arguments))
    counts = (len(said), len(said), len(b"|".join(arguments)), len(b"|".join(arguments)))
    control.sendall(record("E", struct.pack("<6Q", 5 << 8, 1000, 0, 0, 0, 0)))
    control.sendall(record("X", struct.pack("<4Q", *counts)))
    while read_order(control)[0] != "y":
        pass


misbehaviour = os.path.basename(sys.argv[0]).removeprefix("firecracker-")
listener = socket.socket(socket.AF_UNIX)
listener.bind("api")
listener.listen(1)
connection, _ = listener.accept()
stream = connection.makefile("rb")
asked = {}
while (request := read_request(stream)) is not None:
    method, path, body = request
    if method != "PUT" or (misbehaviour == "refuse" and path == "/boot-source"):
        answer(connection, b"400 Bad Request", b'{"fault_message":"The kernel file cannot be opened"}')
        continue
    if path == "/boot-source":
        for key in ("kernel_image_path", "initrd_path"):
            with open(body[key], "rb") as file:
                assert file.read(4), "empty " + key
    asked[path] = body
    answer(connection, b"204 No Content")
    if path == "/actions":
        assert body["action_type"] == "InstanceStart"
        if misbehaviour == "die":
            sys.exit("cannot create the machine")
        play(asked)
        break
