#!/usr/bin/env bash
# How the cost of a step grows with the work, and what the exchange would cost on more hosts.
#
#     Benchmarks/growth.sh [TABLE…]      # all tables: about 20 minutes on two cores
#
# Tables: tokens layers width lanes workers dataset start exchange. `workers` goes to 8, or to 16 if there are that many
# cores. `exchange` measures the all-reduce over TCP on this machine with 2 to 8 workers, fits latency and bandwidth to
# it, and predicts 2 to 1,024 workers. APUS_GROWTH_KEEP=FILE keeps the figures as JSON lines. Needs the peers' virtual
# environment, which makes the models of other shapes.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=${here%/*}
"$root/scripts/fetch.sh"
venv=$("$here/peers/setup.sh")
if [[ -z ${APUS_COMPARE_BUILT:-} ]]; then "$root/scripts/build.sh" -c release; fi
unset "${!OPENBLAS_@}" "${!OMP_@}"
exec "$venv/bin/python" "$here/growth.py" --root "$root" "$@"
