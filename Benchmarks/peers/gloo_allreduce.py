#!/usr/bin/env python3
"""The all-reduce alone on torch.distributed's Gloo: the peer of Benchmarks/AllReduce.

    python3 gloo_allreduce.py --workers 2 --megabytes 1,22,90,440 [--rounds 10]

Prints one JSON object a size; figures as those of AllReduceBenchmark.
"""
import argparse, json, os, statistics, tempfile, time
import torch, torch.distributed as dist, torch.multiprocessing as mp

ap = argparse.ArgumentParser()
ap.add_argument("--workers", type=int, default=2)
ap.add_argument("--megabytes", default="1,22,90,440")
ap.add_argument("--rounds", type=int, default=10)
a = ap.parse_args()


def serve(rank, store):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=a.workers)
    for size in map(int, a.megabytes.split(",")):
        x = torch.ones(size * 250_000)
        times = []
        for r in range(a.rounds + 2):
            dist.barrier()
            start = time.perf_counter()
            dist.all_reduce(x)
            t = torch.tensor([time.perf_counter() - start])
            dist.all_reduce(t, op=dist.ReduceOp.MAX)
            if r >= 2:
                times.append(float(t) * 1000)
        if rank == 0:
            ms = statistics.median(times)
            print(json.dumps(dict(workers=a.workers, megabytes=size, over="gloo", milliseconds=round(ms, 2),
                                  gigabytes_per_second=round(size / ms, 2))), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(serve, args=(os.path.join(folder, "store"),), nprocs=a.workers)
