#!/usr/bin/env bash
# check-serve.sh PROGRAM [CHECK...]: the process around `recblr serve`: settings, keys, TLS, slow and strange clients, metrics as Prometheus' own
# client reads them, signals, exit codes; in a minute. Needs only Python; what needs more (openssl, prometheus_client from PyPI) is passed over without it.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v python3 >/dev/null || { echo "serve: python3 is not here: skipped"; exit 0; }
library=.build/python
python3 -c 'import prometheus_client' 2>/dev/null || [ -d "$library/prometheus_client" ] ||
    python3 -m pip install -q --target "$library" prometheus_client >/dev/null 2>&1 || true
PYTHONPATH=$library${PYTHONPATH:+:$PYTHONPATH} exec python3 -B Tests/Serve/serve.py "$@"
