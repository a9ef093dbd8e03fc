#!/usr/bin/env python3
"""Makes what a nats-server that tells users by signed credentials needs:

    nats_accounts.py FOLDER

writes into FOLDER
    server.conf     an operator, two accounts (one is the system's), their JWTs
    user.creds      a user of the other account
    expired.creds   the same user, whose JWT is over
    stranger.creds  a user of an account that the server has never heard of

Keys are fresh each time, so no file in the tree grows old.  openssl signs.
"""

import base64
import json
import os
import subprocess
import sys
import time

# What an nkey begins with, before base32 makes a letter of it: S, O, A, U.
SEED, OPERATOR, ACCOUNT, USER = 18 << 3, 14 << 3, 0, 20 << 3
# The DER of a private Ed25519 key (RFC 8410), up to its 32 bytes.
DER_PREFIX = bytes.fromhex("302e020100300506032b657004220420")


def crc16(data):
    """The XMODEM checksum that ends each nkey."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = crc << 1 ^ (0x1021 if crc & 0x8000 else 0)
        crc &= 0xFFFF
    return crc.to_bytes(2, "little")


def base32(data):
    return base64.b32encode(data + crc16(data)).decode().rstrip("=")


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    def __init__(self, folder, kind, name):
        self.kind, self.name = kind, name
        self.bytes = os.urandom(32)
        self.path = os.path.join(folder, name + ".der")
        with open(self.path, "wb") as file:
            file.write(DER_PREFIX + self.bytes)
        public = self.openssl("pkey", "-pubout", "-outform", "DER", "-in", self.path)
        self.public = base32(bytes([kind]) + public[-32:])

    def openssl(self, *words):
        return subprocess.run(["openssl", *words, "-inform" if words[0] == "pkey" else
                               "-keyform", "DER"], check=True, stdout=subprocess.PIPE).stdout

    def seed(self):
        first = SEED | self.kind >> 5
        return base32(bytes([first, self.kind << 3 & 0xFF]) + self.bytes)

    def sign(self, text):
        path = self.path + ".text"
        with open(path, "w") as file:
            file.write(text)
        return self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", path)


def jwt(issuer, subject, nats, **more):
    claims = {"jti": base32(os.urandom(16)), "iat": int(time.time()) - 60,
              "iss": issuer.public, "sub": subject.public, "name": subject.name,
              "nats": {"version": 2, **nats}, **more}
    parts = ({"typ": "JWT", "alg": "ed25519-nkey"}, claims)
    text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    return text + "." + base64url(issuer.sign(text))


def account_jwt(operator, account, storage):
    limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    limits.update(dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), storage))
    limits["wildcards"] = True
    return jwt(operator, account, {"type": "account", "limits": limits})


def write_credentials(path, user, token):
    with open(path, "w") as file:
        file.write("-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
                   "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n"
                   % (token, user.seed()))


def user_jwt(account, user, **more):
    unlimited = {"subs": -1, "data": -1, "payload": -1}
    return jwt(account, user, {"type": "user", "pub": {}, "sub": {}, **unlimited}, **more)


def main(folder):
    operator = Key(folder, OPERATOR, "operator")
    system, account, foreign = (Key(folder, ACCOUNT, name)
                                for name in ("system", "account", "foreign"))
    user = Key(folder, USER, "user")

    with open(os.path.join(folder, "server.conf"), "w") as file:
        file.write("operator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {\n"
                   % (jwt(operator, operator, {"type": "operator"}), system.public))
        file.write("  %s: %s\n" % (system.public, account_jwt(operator, system, 0)))
        file.write("  %s: %s\n}\n" % (account.public, account_jwt(operator, account, -1)))
    for name, token in (("user", user_jwt(account, user)),
                        ("expired", user_jwt(account, user, exp=int(time.time()) - 30)),
                        ("stranger", user_jwt(foreign, user))):
        write_credentials(os.path.join(folder, name + ".creds"), user, token)


main(sys.argv[1])
