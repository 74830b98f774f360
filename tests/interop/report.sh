#!/bin/sh
# report.sh PROGRAM VENV - reports in a headless Chromium: check_report.py in a virtual environment that is made once, at VENV. Skips (exit
# code 77), saying so, where there is no Chromium, no Python or no package. PICTURES=FOLDER keeps what it looks like; ONLY names tests.
set -u
: "${ONLY:=}"
program=$1
venv=$2
here=$(cd "$(dirname "$0")" && pwd)
packages="websockets==15.0.1"

skip() {
    echo "skipped: $1"
    exit 77
}

browser=
for name in chromium chromium-browser google-chrome; do
    [ -n "$browser" ] || browser=$(command -v "$name" 2>/dev/null)
done
[ -n "$browser" ] || skip "no Chromium"
command -v python3 >/dev/null 2>&1 || skip "no python3"
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv" >/dev/null 2>&1 || skip "python3 cannot make a virtual environment here"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --timeout 15 --retries 1 "$packages" >"$venv/log" 2>&1 ||
        skip "the Python packages cannot be had: $(tail -n 1 "$venv/log")"
    touch "$venv/complete"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pictures=${PICTURES:+$(cd "$PICTURES" && pwd)}
cd "$work" || exit 1
# shellcheck disable=SC2086 # names are words
PICTURES=$pictures PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/check_report.py" "$program" "$browser" $ONLY
