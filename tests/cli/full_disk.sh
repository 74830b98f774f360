#!/bin/sh
# full_disk.sh PROGRAM - a file system that is full in the middle of a run, a limit on the size of files, a folder that is lost,
# a file that may not be written, two writers: what was drawn before stays valid, the message says what to do, and
# each has its exit code.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$(mktemp -d)
mounted=
run=
cleanup() {
    [ -z "$run" ] || kill -KILL "$run" 2>/dev/null
    cd /
    [ -z "$mounted" ] || umount "$mounted"
    chmod -R u+w "$folder"
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder" || exit 1

fail() {
    echo "$1"
    [ ! -e err ] || sed 's/^/    /' err
    exit 1
}

expect() { # expect CODE GOT MESSAGE
    [ "$2" -eq "$1" ] || fail "$4: exit code $2, expected $1"
    grep -Eq "$3" err || fail "$4: no line like: $3"
    [ "$(grep '^credence: ' err | grep -vc '^credence: warning: ')" -eq 1 ] || fail "$4: not one line of error"
}

whole() { # whole FILE WHAT: it opens, every row is right, and it has draws
    "$program" check "$1" >out 2>err || fail "$2: the file is not whole"
    grep -Eq '^chains? [0-9-]+: +[1-9][0-9]* draws' out || fail "$2: no draws are left"
    "$program" export "$1" >out 2>err || fail "$2: export fails"
    [ "$(wc -l <out)" -gt 10 ] || fail "$2: hardly a draw is left"
}

await() { # await FILE WHAT: until it is there
    tries=0
    until [ -e "$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || fail "$2: no file after half a minute"
        sleep 0.1
    done
}

awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) printf "%.3f,%.3f\n", i / 10, sin(i / 5) }' >data.csv
"$program" fit data.csv --target y --hidden 2 --chains 2 --warmup 20 --draws 20 --seed 3 --quiet --out older.crd ||
    fail "no run can be made"

# ---- a limit on the size of files (ulimit -f counts 512 bytes)
cp older.crd run.crd
(ulimit -f 4000; exec "$program" fit data.csv --target y --hidden 3 --chains 2 --warmup 50 --draws 2000000 --seed 1 --quiet \
    --force --out run.crd) >out 2>err
expect 19 $? '^credence: run\.crd: .*a limit on the size of files is in force \(ulimit -f\); what was written before stays; .credence resume run\.crd. goes on$' "a limit on sizes"
whole run.crd "a limit on sizes"
grep -q '^0,0,' out || fail "a limit on sizes: the first draw is not there"
cp out before
timeout -s INT 3 "$program" resume run.crd --quiet >out 2>err
[ $? -eq 124 ] || fail "a limit on sizes: resume does not go on"
whole run.crd "a limit on sizes, resumed"
[ "$(wc -l <out)" -gt "$(wc -l <before)" ] || fail "a limit on sizes: no draws came to the others"

# a newer run that has not come to its first draws is not lost, nor what resume was to go on with
"$program" fit data.csv --target y --hidden 2 --method nuts --chains 2 --warmup 20000 --draws 50 --seed 1 --quiet --out whole.crd ||
    fail "no run with a long warm-up can be made"
cp older.crd run.crd
timeout -s INT 0.3 "$program" fit data.csv --target y --hidden 2 --method nuts --chains 2 --warmup 20000 --draws 50 --seed 1 --quiet \
    --save-every 0.05 --force --out run.crd >out 2>err
[ -e run.crd.part ] || fail "nothing is left of a run that was stopped in its warm-up"
(ulimit -f 20; exec "$program" resume run.crd --quiet) >out 2>err
expect 19 $? '^credence: run\.crd: .*ulimit -f\)' "a limit that lets nobody open the newer run"
(ulimit -f 80; exec "$program" resume run.crd --quiet) >out 2>err
expect 19 $? '^credence: run\.crd: .*ulimit -f\); what was written before stays; .credence resume run\.crd. goes on$' "a limit when a newer run goes on"
[ -e run.crd.part ] || fail "the newer run is lost"
cmp -s run.crd older.crd || fail "the older run is lost"
"$program" resume run.crd --quiet >out 2>err || fail "the newer run does not go on"
"$program" diff run.crd whole.crd >out 2>err || { cp out err; fail "the newer run: another end"; }

# so small that nothing fits: the older file is as it was
cp older.crd run.crd
(ulimit -f 16; exec "$program" fit data.csv --target y --hidden 3 --warmup 50 --draws 20 --seed 1 --quiet --force --out run.crd) \
    >out 2>err
expect 19 $? '^credence: run\.crd: .*ulimit -f' "a small limit"
cmp -s run.crd older.crd || fail "a small limit: the older file is not as it was"
for left in run.crd-lock run.crd.part run.crd.part-wal; do
    [ ! -e "$left" ] || fail "a small limit: $left is left"
done
rm -f run.crd.part*
cp older.crd draws.csv
(ulimit -f 4; exec "$program" export older.crd --force --out draws.csv) >out 2>err
expect 19 $? '^credence: draws\.csv: cannot be written: File too large; a limit on the size of files is in force' "export within a limit"
cmp -s draws.csv older.crd || fail "export within a limit: the older file is not as it was"

# what others write for us: figures and netCDF
for name in picture.png picture.svg picture.pdf; do
    command -v gnuplot >/dev/null || break
    "$program" plot older.crd trace --out whole-$name >out 2>err || fail "no figure can be made"
    (ulimit -f 8; exec "$program" plot older.crd trace --out $name) >out 2>err
    expect 19 $? "^credence: $name: cannot be written: File too large; a limit on the size of files is in force" "a figure within a limit"
    [ ! -e $name ] || fail "a figure within a limit: a part of it is left"
done
if "$program" export older.crd --to netcdf --out whole.nc >out 2>err; then
    (ulimit -f 40; exec "$program" export older.crd --to netcdf --out part.nc) >out 2>err
    expect 19 $? '^credence: part\.nc: .*ulimit -f' "netCDF within a limit"
    [ ! -e part.nc ] || fail "netCDF within a limit: a part of it is left"
fi

# a run that is stopped by the limit before it has come to its place: the older one stands there, and nothing tells to resume it
cp older.crd run.crd
(ulimit -f 120; exec "$program" fit data.csv --target y --hidden 3 --method nuts --chains 2 --warmup 50 --draws 5000 --seed 1 --quiet \
    --force --out run.crd) >out 2>err
expect 19 $? '^credence: run\.crd: .*ulimit -f' "a limit at the first draws"
if cmp -s run.crd older.crd && [ ! -e run.crd.part ]; then
    ! grep -q resume err || fail "a limit at the first draws: resume is told to go on with what is not there"
fi

# ---- a file system that becomes full: a small one in memory, where this may be done
mkdir small
if mount -t tmpfs -o size=10m tmpfs small 2>/dev/null; then
    mounted=$folder/small
    "$program" fit data.csv --target y --hidden 3 --chains 2 --warmup 1500 --draws 5000 --seed 1 --quiet --out small/run.crd >out 2>err &
    run=$!
    await small/run.crd "a full disk"
    head -c 9600000 /dev/zero >small/others 2>/dev/null
    wait "$run"
    code=$?
    run=
    expect 19 "$code" '^credence: small/run\.crd: database or disk is full; make room on its file system' "a full disk"
    rm small/others
    "$program" resume small/run.crd --quiet >out 2>err || fail "a full disk: resume does not go on when there is room"
    "$program" fit data.csv --target y --hidden 3 --chains 2 --warmup 1500 --draws 5000 --seed 1 --quiet --out never.crd >out 2>err ||
        fail "the same run with room fails"
    "$program" diff small/run.crd never.crd >out 2>err || fail "a full disk: resumed, it is another run"
    umount small && mounted=
else
    echo "no file system may be mounted here; the limit on sizes stands for it"
fi

# ---- a folder that is not there, or is lost; a file and a folder that may not be written
"$program" fit data.csv --target y --quiet --out nowhere/run.crd >out 2>err
expect 4 $? '^credence: nowhere: no such folder$' "no folder"
# as somebody who may not write there: root may everywhere, and becomes nobody
as_nobody() {
    if [ "$(id -u)" -ne 0 ]; then "$@"; else setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
}
chmod 755 . && mkdir shut && cp older.crd shut/run.crd && chmod 444 shut/run.crd && chmod 555 shut
if as_nobody "$program" version >out 2>err; then
    as_nobody "$program" fit data.csv --target y --quiet --out shut/other.crd >out 2>err
    expect 5 $? '^credence: shut/other\.crd: .*Permission denied' "a folder that is shut"
    as_nobody "$program" fit data.csv --target y --quiet --force --out shut/run.crd >out 2>err
    expect 5 $? '^credence: shut/run\.crd: .*Permission denied' "a file in a folder that is shut"
    as_nobody "$program" resume shut/run.crd --draws +5 --quiet >out 2>err
    expect 5 $? '^credence: shut/run\.crd: .*Permission denied' "resume in a folder that is shut"
    chmod 777 shut
    as_nobody "$program" resume shut/run.crd --draws +5 --quiet >out 2>err
    expect 5 $? '^credence: shut/run\.crd: may not be written: the permissions' "resume of a file that may not be written"
    cmp -s shut/run.crd older.crd || fail "a file that may not be written has changed"
    as_nobody "$program" check shut/run.crd >out 2>err || fail "a file that may only be read is not read"
else
    echo "nobody may not run $program here: folders that are shut were not tried"
fi
# another file that is put in its place stays, and is not what resume is told to go on with
"$program" fit data.csv --target y --hidden 3 --method nuts --chains 2 --warmup 20 --draws 2000000 --seed 1 --quiet --out run2.crd >out 2>err &
run=$!
await run2.crd "another in its place"
cp older.crd other.crd && mv other.crd run2.crd
wait "$run"
code=$?
run=
expect 5 "$code" '^credence: run2\.crd: ' "another in its place"
! grep -q resume err || fail "another in its place: resume is told to go on with it"
cmp -s run2.crd older.crd || fail "another in its place: it has changed"

mkdir lost
"$program" fit data.csv --target y --hidden 3 --chains 2 --warmup 20 --draws 2000000 --seed 1 --quiet --out lost/run.crd >out 2>err &
run=$!
tries=0
until "$program" check lost/run.crd 2>/dev/null | grep -Eq '^chains? [0-9-]+: +[1-9][0-9]* draws'; do # before, it may be opening the file
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || fail "a lost folder: no draws after half a minute"
    sleep 0.1
done
rm -rf lost
tries=0
while kill -0 "$run" 2>/dev/null; do # it ends by itself
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || fail "a lost folder: the run goes on for half a minute"
    sleep 0.1
done
wait "$run"
code=$?
run=
expect 5 "$code" '^credence: lost/run\.crd: the file was moved or deleted while it was being written' "a lost folder"
[ ! -e lost ] || fail "a lost folder: something was written there again"

# ---- a second writer
"$program" fit data.csv --target y --hidden 3 --chains 2 --warmup 20 --draws 2000000 --seed 1 --quiet --out two.crd >out 2>one &
run=$!
await two.crd "two writers"
"$program" fit data.csv --target y --hidden 1 --warmup 20 --draws 20 --seed 1 --quiet --force --out two.crd >out 2>err
expect 7 $? '^credence: two\.crd: is being written by another run$' "two writers"
"$program" check two.crd >out 2>err || fail "two writers: check fails while it is written"
grep -q '^status: *running: another process writes it$' out || fail "two writers: check does not say that it is written"
kill -INT "$run"
wait "$run"
code=$?
run=
[ "$code" -eq 40 ] || fail "two writers: the first ends with $code"
whole two.crd "two writers"
exit 0
