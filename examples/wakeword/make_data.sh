#!/bin/sh
# make_data.sh [FOLDER [VOICES [SECONDS]]]: synthetic speech by espeak-ng; default: recordings/ beside this script, 30 voices, 240 seconds of
# each, about two minutes of work.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/recordings}
command -v espeak-ng >/dev/null || { echo "make_data.sh: espeak-ng is missing; sudo apt-get install espeak-ng" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CC:-cc} -O2 -o "$work/make_data" "$here/make_data.c" -lm
rm -rf "$folder"
mkdir -p "$folder"
"$work/make_data" "$folder" "${2:-30}" "${3:-240}"
