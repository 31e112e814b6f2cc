#!/usr/bin/python3
"""schemas/observers/observer.py -- every final block of a network, verified, in
order, without a hole; from schemas/README.md.  observer.py CLUSTER.json [COUNT]
"""
import hashlib, itertools, json, os, sys
import msgpack, nacl.bindings as sodium, zmq
from zmq.utils import z85

cluster = json.load(open(sys.argv[1], encoding="utf-8"))
network = bytes.fromhex(cluster["network"])
chain = 1 if cluster["engine"] == "pow" else 0
me, secret = sodium.crypto_sign_keypair()
keys = [bytes.fromhex(node["key"]) for node in cluster["nodes"]]
height, parent, count = 1, network, int((sys.argv + ["0"])[2])

def verify(name, key, body, signature):  # raises
    assert key in keys, "not a node of this network"
    sodium.crypto_sign_open(signature + b"perch/1/" + name + b"\0" + network + body, key)

def connect(kind, key, endpoint):
    socket = zmq.Context.instance().socket(kind)
    socket.linger, socket.immediate, socket.maxmsgsize = 0, 1, 65569
    socket.curve_publickey = z85.encode(sodium.crypto_sign_ed25519_pk_to_curve25519(me))
    socket.curve_secretkey = z85.encode(sodium.crypto_sign_ed25519_sk_to_curve25519(secret))
    socket.curve_serverkey = z85.encode(sodium.crypto_sign_ed25519_pk_to_curve25519(key))
    socket.connect(endpoint)
    return socket

def ask(link, number, *body):
    link.send_multipart([os.urandom(8), msgpack.packb([1, number, me, msgpack.packb(body), b""])])
    return msgpack.unpackb(msgpack.unpackb(link.recv_multipart()[1])[3]) if link.poll(3000) else 0

def take(block):  # when it is the next one
    global height, parent
    header, signature, txs, _ = msgpack.unpackb(block)
    fields = msgpack.unpackb(header)
    if fields[3] == height:
        verify(b"block", fields[6], header, signature)
        assert fields[1] == network and fields[4] == parent, "another chain"
        height, parent = height + 1, hashlib.blake2b(header, digest_size=32).digest()
        print(json.dumps({"height": fields[3], "hash": parent.hex(), "txs": len(txs)}), flush=True)
        fields[3] == count and sys.exit()
    return fields[3] < height
for node, key in itertools.cycle(zip(cluster["nodes"], keys)):
    hints = connect(zmq.SUB, key, node["publish"])
    hints.subscribe(b"block"), hints.subscribe(b"status")
    link = connect(zmq.DEALER, key, node["request"])
    met = ask(link, 10, 1, "observer.py", [], network, me)
    while met and (blocks := ask(link, 17, chain, height, 256)):
        complete = all(map(take, blocks[2])) and len(blocks[2]) == 0
        while complete and hints.poll(5000):  # no heartbeat: another node
            _, _, hint = hints.recv_multipart()
            _, number, sender, body, signature = msgpack.unpackb(hint)
            verify({60: b"topic_block", 24: b"status"}[number], sender, body, signature)
            fields = msgpack.unpackb(body)
            complete = number == 24 or fields[0] != chain or take(fields[4])
        if complete:
            break
    link.close(), hints.close()
