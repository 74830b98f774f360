#!/bin/sh
# check_install.sh CMAKE BUILD SOURCE - installs BUILD into an empty prefix, then builds and runs the program in SOURCE
# twice: with what pkg-config says, and with find_package. CFLAGS: a sanitized library needs sanitized programs.
set -eu
cmake=$1 build=$2 source=$3
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

say() {
    echo "install: $1"
    exit 1
}

"$cmake" --install "$build" --prefix "$prefix/usr" >"$prefix/log" 2>&1 || { cat "$prefix/log"; say "cmake --install failed"; }
"$prefix/usr/bin/credence" version | grep -q '^credence [0-9]' || say "the installed command does not run"

for page in man/man1/credence.1 man/man1/credence-fit.1 bash-completion/completions/credence \
    zsh/site-functions/_credence fish/vendor_completions.d/credence.fish; do
    [ -s "$prefix/usr/share/$page" ] || say "no $page"
done

# Optimised and without debug information the library stays under 5 MB, symbols for linking included.
library=$(find "$prefix/usr" -name 'libcredence.so.*.*')
cp "$library" "$prefix/stripped"
strip -g "$prefix/stripped" 2>/dev/null || true
size=$(wc -c <"$prefix/stripped")
echo "install: libcredence.so without debug information: $((size / 1024)) KB"
[ "$size" -lt 5000000 ] || [ -n "${CFLAGS:-}" ] || say "the library is larger than 5 MB"

pc=$(find "$prefix/usr" -name credence.pc)
[ -n "$pc" ] || say "no credence.pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir credence)
[ -f "$libdir/libcredence.so" ] || say "pkg-config points to $libdir, and the library is not there"
# shellcheck disable=SC2046,SC2086
"${CC:-cc}" ${CFLAGS:-} -std=c17 "$source/main.c" -o "$prefix/by_pkgconfig" $(pkg-config --cflags --libs credence)
LD_LIBRARY_PATH=$libdir "$prefix/by_pkgconfig"

"$cmake" -G Ninja -S "$source" -B "$prefix/project" -DCMAKE_PREFIX_PATH="$prefix/usr" >"$prefix/log" 2>&1 ||
    { cat "$prefix/log"; say "find_package(credence) failed"; }
"$cmake" --build "$prefix/project" >"$prefix/log" 2>&1 || { cat "$prefix/log"; say "the project does not build"; }
"$prefix/project/uses_credence"
