#!/usr/bin/env python3
"""What strangers cost a job: garbage and silent connections, against the same flood at a port that has nothing to do with it.

    Benchmarks/flood.py [SECONDS=20] [RATE=1000]        # default model and data; about three minutes on two cores

A coordinator and two workers with CURVE keys on loopback. RATE connections a second that send garbage and as many that say nothing
(and are held open), spread over all ports at which the three processes listen: the coordinator's control and data ports
and the workers' data ports. Compares samples per second under that flood with those under the same flood aimed at a plain TCP server
in another process. Strangers with no key, a wrong key and a key that was taken off the list try to join meanwhile. Exit status 1 where the
job loses more than 10 %, file descriptors are not bounded, or a stranger gets in. APUS names another program, --tiny takes a tiny model.
"""
import errno, json, os, pathlib, random, resource, select, shutil, signal, socket, subprocess, sys, tempfile, threading, time

import tiny_job

WARM_UP = 4  # seconds before the flood


def listening(process):
    """The TCP ports at which a process listens."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{process}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{process}/fd/{descriptor}"))
        except OSError:
            pass
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:
                ports.add(int(words[1].split(":")[1], 16))
    return sorted(ports)


def flood(ports, seconds, rate):
    """A process that does nothing but connect; prints how many connections of each kind it made."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200
    chance = random.Random(0)
    garbage = [chance.randbytes(n) for n in (1, 10, 64, 200, 3000)] + [b"GET / HTTP/1.1\r\nHost: here\r\n\r\n", b"\xff" + bytes(8) + b"\x7f\x03"]
    begin, silent, made = time.monotonic(), [], [0, 0, 0]
    total = int(seconds * rate)
    for number in range(total):
        ahead = begin + number / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        elif ahead < -1 and time.monotonic() > begin + seconds:
            break
        for kind in (0, 1):
            connection = socket.socket()
            connection.setblocking(False)
            # Many source addresses: one has too few ports for that many connections.
            connection.bind((f"127.0.{1 + number % 32}.{1 + kind}", 0))
            try:
                connection.connect(("127.0.0.1", ports[number % len(ports)]))
            except BlockingIOError:
                pass
            except OSError:
                made[2] += 1
                connection.close()
                continue
            made[kind] += 1
            if kind == 0:
                try:
                    connection.send(garbage[number % len(garbage)])
                except OSError:
                    made[2] += 1
                connection.close()
            else:
                silent.append(connection)
                if len(silent) > room // 2:
                    silent.pop(0).close()
    print(json.dumps({"garbage": made[0], "silent": made[1], "failed": made[2], "seconds": round(time.monotonic() - begin, 1)}), flush=True)


def serve():
    """A plain server: takes every connection, reads what there is, and closes the silent after 3 s, as libzmq does."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(100)
    server.setblocking(False)
    print(server.getsockname()[1], flush=True)
    poller, open_ones = select.epoll(), {}
    poller.register(server.fileno(), select.EPOLLIN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    while True:
        for descriptor, _ in poller.poll(0.2):
            if descriptor == server.fileno():
                while True:
                    try:
                        connection, _ = server.accept()
                    except OSError:
                        break
                    open_ones[connection.fileno()] = (connection, time.monotonic())
                    poller.register(connection.fileno(), select.EPOLLIN)
            elif descriptor in open_ones:
                connection = open_ones.pop(descriptor)[0]
                poller.unregister(descriptor)
                connection.close()
        limit = time.monotonic() - 3
        while open_ones and next(iter(open_ones.values()))[1] < limit:
            descriptor = next(iter(open_ones))
            poller.unregister(descriptor)
            open_ones.pop(descriptor)[0].close()


class Job:
    def __init__(self, program, folder, job, name):
        self.output, self.folder = folder / name, folder
        keys = folder / "keys"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = open(folder / f"{name}.log", "w")
        begin = [program, "coordinate", "--workers", "2", "--endpoint", f"tcp://127.0.0.1:{self.port}", "--output", str(self.output)] + job
        self.coordinator = self.start(begin, keys / "coordinator.key")
        self.workers = [self.start(self.work(program), keys / f"worker-{n}.key") for n in (1, 2)]
        self.program = program

    def work(self, program, timeout=60):
        return [program, "work", "--coordinator", f"tcp://127.0.0.1:{self.port}", "--threads", "1", "--coordinator-timeout", str(timeout)]

    def start(self, command, key):
        environment = dict(os.environ, APUS_KEY_FILE=str(key))
        return subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=environment)

    @property
    def processes(self):
        return [self.coordinator] + self.workers

    def samples(self):
        try:
            lines = (self.output / "metrics.jsonl").read_text().splitlines()
        except OSError:
            return 0
        return sum(json.loads(line)["samples"] for line in lines if '"event":"step"' in line)

    def wait_for_steps(self):
        while self.samples() == 0:
            if self.coordinator.poll() is not None:
                sys.exit(f"flood: the job ended: {self.log.name}")
            time.sleep(0.1)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


def measure(job, ports, seconds, rate):
    """Samples per second under a flood, the flood's own count, and the most file descriptors of each process."""
    most = [0, 0, 0]
    flooding = subprocess.Popen(
        [sys.executable, __file__, "--flood", json.dumps(ports), str(seconds), str(rate)], stdout=subprocess.PIPE, text=True)
    before, begin = job.samples(), time.monotonic()
    while time.monotonic() < begin + seconds:
        for place, process in enumerate(job.processes):
            found = tiny_job.status(process.pid)
            most[place] = max(most[place], found[1] if found else 0)
        time.sleep(0.25)
    speed = (job.samples() - before) / (time.monotonic() - begin)
    count = json.loads(flooding.communicate()[0])
    return speed, count, most


def strangers(job, folder):
    """Workers that must not get in, started while the flood lasts: (what, process)."""
    foreign = folder / "foreign"
    if not foreign.exists():
        subprocess.run([job.program, "keygen", str(foreign)], check=True, stdout=subprocess.DEVNULL)
    lone = [job.program, "work", "--coordinator", f"tcp://127.0.0.1:{job.port}", "--threads", "1", "--coordinator-timeout", "5"]
    found = [("a wrong key", job.start(lone, foreign / "worker-1.key")), ("a key taken off the list", job.start(lone, folder / "keys/worker-3.key"))]
    nobody = subprocess.Popen(lone + ["--insecure"], stdout=job.log, stderr=job.log, stdin=subprocess.DEVNULL)
    return found + [("no key", nobody)]


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    seconds, rate = float(words[0]) if words else 20, int(words[1]) if len(words) > 1 else 1000
    program = tiny_job.program()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="apus-flood-"))
    if "--tiny" in sys.argv:
        given = tiny_job.make(folder) + ["--batch-size", "32"]
    else:
        cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "apus"
        given = ["--model", str(cache / "models/all-MiniLM-L6-v2"), "--train", str(cache / "data/movie-reviews/train.tsv"), "--validation", "none"]
    given += ["--lanes", "4", "--epochs", "1000000"]
    subprocess.run([program, "keygen", str(folder / "keys"), "--workers", "3"], check=True, stdout=subprocess.DEVNULL)
    coordinators = folder / "keys/coordinator.key"
    revoked = [line for line in (folder / "keys/worker-3.key").read_text().splitlines() if line.startswith("public ")][0].split()[1]
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    unrelated = [int(server.stdout.readline())]
    job, good, figures = Job(program, folder, given, "run"), True, {}
    try:
        job.wait_for_steps()
        # Off the list while the job runs; the coordinator reads the file again.
        text = "\n".join(line for line in coordinators.read_text().splitlines() if line != f"worker {revoked}") + "\n"
        coordinators.write_text(text)
        job.coordinator.send_signal(signal.SIGHUP)
        time.sleep(WARM_UP)
        own = sorted({port for process in job.processes for port in listening(process.pid)})
        quiet = tiny_job.status(job.coordinator.pid)[1]
        # One after the other in the same run, twice, so that the machine's mood falls on both.
        for turn in (1, 2):
            for name, ports in (("an unrelated port", unrelated), ("the job's ports", own)):
                guests = strangers(job, folder) if (turn, name) == (2, "the job's ports") else []
                speed, count, most = measure(job, ports, seconds, rate)
                figures.setdefault(name, []).append((speed, count, most))
                made = count["garbage"] + count["silent"]
                print(f"{name} ({len(ports)}): {speed:.1f} samples/s; {made} connections in {count['seconds']} s, {count['failed']} failed; "
                      f"most file descriptors {most} (coordinator, workers)", flush=True)
                for what, process in guests:
                    try:
                        ended = process.wait(30)
                    except subprocess.TimeoutExpired:
                        ended = None
                        process.kill()
                    good = good and ended not in (None, 0)
                    print(f"a worker with {what}: {'GOT IN' if ended in (None, 0) else f'ended with status {ended}'}")
                time.sleep(4)
        log = (job.output / "log.txt").read_text()
        generations = log.count("generation ")
        if any(process.poll() is not None for process in job.processes) or "generation 2" in log:
            good = False
            print(f"THE JOB WAS DISTURBED: {generations} generations")
        after = tiny_job.status(job.coordinator.pid)[1]
        print(f"file descriptors of the coordinator: {quiet} before, {after} after")
        good = good and after <= quiet + 5
    finally:
        job.end()
        server.kill()
    mean = {name: sum(f[0] for f in rows) / len(rows) for name, rows in figures.items()}
    loss = 100 * (1 - mean["the job's ports"] / mean["an unrelated port"])
    print(f"the flood at the job's own ports costs it {loss:.1f} % more than the same flood at an unrelated port")
    shutil.rmtree(folder) if good else print(f"files: {folder}")
    sys.exit(0 if good and loss <= 10 else 1)


if "--flood" in sys.argv:
    place = sys.argv.index("--flood")
    flood(json.loads(sys.argv[place + 1]), float(sys.argv[place + 2]), int(sys.argv[place + 3]))
elif "--serve" in sys.argv:
    serve()
else:
    main()
