#!/usr/bin/env bash
# openblas-serial.sh: prints where Debian's and Ubuntu's libopenblas-serial-dev has its archive, whether it is there or not.
set -euo pipefail
echo "$(dirname "$(cc -print-file-name=libz.a)")/openblas-serial/libopenblas.a"
