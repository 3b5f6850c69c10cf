#!/usr/bin/env python3
"""A slow network that loses packets, between network namespaces: real packets, through TUN devices, so that TCP does what it does.

    Benchmarks/slow_link.py --delay 20 --loss 1 NAMESPACE=ADDRESS NAMESPACE=ADDRESS…

Each namespace gets a device slow0 with its IPv4 address in one /24. A packet arrives --delay milliseconds after it was sent,
or, --loss times in 100, not at all. Says "ready" when the network stands and serves it until its standard input ends.
(Where the kernel has netem, `tc qdisc add dev eth0 root netem delay 20ms loss 1%` does the same.) Needs root.
"""
import argparse, ctypes, fcntl, heapq, os, random, select, socket, struct, subprocess, sys, time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
QUEUE = 20_000  # packets on their way; more are lost, as in a real queue


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}") as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
            sys.exit(f"slow_link: {namespace} cannot be entered: {os.strerror(ctypes.get_errno())}")


def device(namespace, address):
    enter(namespace)
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"slow0", IFF_TUN | IFF_NO_PI))
    for words in (["address", "add", f"{address}/24", "dev", "slow0"], ["link", "set", "slow0", "up"]):
        subprocess.run(["ip", "-n", namespace] + words, check=True)
    return descriptor


def main():
    options = argparse.ArgumentParser(description="A slow network that loses packets, between network namespaces.")
    options.add_argument("--delay", type=float, default=20, help="milliseconds, each way")
    options.add_argument("--loss", type=float, default=1, help="lost packets in 100")
    options.add_argument("--seed", type=int, default=0, help="decides which packets are lost")
    options.add_argument("places", nargs="+", metavar="NAMESPACE=ADDRESS")
    given = options.parse_args()
    chance = random.Random(given.seed)
    owners = {}
    for place in given.places:
        namespace, address = place.split("=", 1)
        owners[socket.inet_aton(address)] = device(namespace, address)
    waiting, number, lost, carried = [], 0, 0, 0
    poller = select.poll()
    for descriptor in list(owners.values()) + [0]:
        poller.register(descriptor, select.POLLIN)
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, packet = heapq.heappop(waiting)
            try:
                os.write(target, packet)
            except OSError:
                pass
        pause = max(0, int((waiting[0][0] - now) * 1000 + 0.5)) if waiting else 1000
        for descriptor, _ in poller.poll(pause):
            if descriptor == 0:
                if not os.read(0, 4096):
                    print(f"{carried} packets carried, {lost} lost", flush=True)
                    return
                continue
            for _ in range(256):
                try:
                    packet = os.read(descriptor, 65536)
                except BlockingIOError:
                    break
                target = owners.get(packet[16:20]) if len(packet) >= 20 and packet[0] >> 4 == 4 else None
                if target is None:
                    continue
                if chance.random() * 100 < given.loss or len(waiting) >= QUEUE:
                    lost += 1
                    continue
                carried += 1
                number += 1
                heapq.heappush(waiting, (time.monotonic() + given.delay / 1000, number, target, packet))


main()
