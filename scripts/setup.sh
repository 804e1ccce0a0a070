#!/bin/sh
# setup.sh [test]: installs the Debian packages that are missing to build and run Tinamou; with `test` also those of the tests.
# Says what it installs before it does; does nothing when all is there; needs no terminal.
set -eu

# package | why
packages='
cmake | build
ninja-build | build
gcc | the compiler of the host
libc6-dev | headers of the C library
pkg-config | finds the libraries
libyaml-dev | reads tinamou.yaml
libjansson-dev | reads and writes JSON
libsqlite3-dev | the store of runs
libssl-dev | SHA-256
libcurl4-openssl-dev | HTTP
libsndfile1-dev | reads WAV, FLAC and Ogg recordings
libcbor-dev | reads recordings in CBOR
libhdf5-dev | reads HDF5 files
libarchive-dev | reads NPZ files, unpacks data sets
libkissfft-dev | spectra of the signals, for data stats
liblapacke-dev | singular values, for low-rank compression
libopenblas-dev | what it computes with
libcairo2-dev | the figure of the report as PNG and SVG
fonts-dejavu-core | its letters
esbuild | bundles the pages
libjs-dygraphs | its charts
gcc-arm-none-eabi | builds the generated code for the Cortex-M4
libnewlib-arm-none-eabi | its string.h
qemu-system-arm | the emulated Cortex-M4
'
test_packages='
libcmocka-dev | unit tests
g++ | generated code in C++
clang | generated code by another compiler; fuzz targets
libclang-rt-dev | fuzz targets
gcc-avr | sketches of the Arduino package
avr-libc | its C library
chromium | opens the report
qemu-system-misc | the emulated RISC-V and AVR
qemu-user | programs of big-endian PowerPC and of AArch64
gcc-riscv64-unknown-elf | builds for RISC-V
picolibc-riscv64-unknown-elf | its string.h
gcc-avr | builds for AVR
avr-libc | its string.h
gcc-powerpc-linux-gnu | builds for big-endian PowerPC
libc6-dev-powerpc-cross | its C library
gcc-aarch64-linux-gnu | builds for AArch64
libc6-dev-arm64-cross | its C library
node-typescript | types of the pages
frama-c-base | no undefined behaviour in generated code
cppcheck | MISRA rules of generated code
python3 | its MISRA rules
espeak-ng | the voices of examples/wakeword
time | peak memory of the figures
jq | reads --json in tests and in scripts/evaluation.sh
python3-venv | the MLflow server that runs are exported to
'
[ "${1:-}" != test ] || packages=$packages$test_packages

missing=$(printf '%s' "$packages" | while IFS='|' read -r name why; do
    name=$(echo "$name" | tr -d ' ')
    [ -n "$name" ] || continue
    dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || printf '%s|%s\n' "$name" "$why"
done)
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: this is no Debian; install what does the same as these packages:" >&2
    printf '%s\n' "$missing" | sed 's/|/:/; s/^/  /' >&2
    exit 1
fi
echo "setup: these Debian packages are missing and will be installed now:" >&2
printf '%s\n' "$missing" | sed 's/|/:/; s/^/  /' >&2

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup: run this as root, or install sudo" >&2; exit 1; }
    as_root=sudo
fi
names=$(printf '%s\n' "$missing" | cut -d'|' -f1)
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
# shellcheck disable=SC2086 # one word per package
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends $names >&2
echo "setup: done" >&2
