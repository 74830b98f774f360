#!/bin/sh
# arviz.sh PROGRAM VENV - what ArviZ makes of our files and we of its: check_arviz.py in a virtual environment that is made once, at
# VENV. Skips (exit code 77), saying so, where there is no Python or its packages cannot be had.
set -u
program=$1
venv=$2
here=$(cd "$(dirname "$0")" && pwd)
packages="arviz==0.23.4 h5netcdf matplotlib"

skip() {
    echo "skipped: $1"
    exit 77
}

command -v python3 >/dev/null 2>&1 || skip "no python3"
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv" >/dev/null 2>&1 || skip "python3 cannot make a virtual environment here"
    # shellcheck disable=SC2086 # the packages are words
    "$venv/bin/pip" install --quiet --disable-pip-version-check --timeout 15 --retries 1 $packages >"$venv/log" 2>&1 ||
        skip "the Python packages cannot be had: $(tail -n 1 "$venv/log")"
    touch "$venv/complete"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
MPLBACKEND=Agg MPLCONFIGDIR=$work "$venv/bin/python" "$here/check_arviz.py" "$program"
