#!/bin/sh
# test_cli_wakeword.sh TINAMOU FOLDER: examples/wakeword goes the whole way, small: sound at 16 kHz from WAV files and label tracks, log_mel
# on the emulated core bit for bit, false accepts per hour.
set -eu
tinamou=$1 work=$2
example=$(cd "$(dirname "$0")/../../examples/wakeword" && pwd)
command -v espeak-ng >/dev/null || { echo "espeak-ng is missing: sh scripts/setup.sh test"; exit 77; }
rm -rf "$work"
mkdir -p "$work/project"
sh "$example/make_data.sh" "$work/project/recordings" 5 40 >/dev/null
sh "$example/make_data.sh" "$work/again" 5 40 >/dev/null
diff -r "$work/project/recordings" "$work/again" # the same sound from the same program
sed 's/^  steps: .*/  steps: 30/; s/batch: .*/batch: 8/; s/evaluate_every: .*/evaluate_every: 15/
    s/validation: .*/validation: [v03]/; s/test: .*/test: [v04]/
    s/{steps: 200}/{steps: 0}/; s/{allow_repeats/{bootstrap: 20, allow_repeats/; s/4000000/40000/' "$example/tinamou.yaml" >"$work/project/tinamou.yaml"
"$tinamou" run "$work/project" --json >"$work/json" 2>"$work/errors" || { cat "$work/errors"; exit 1; }
grep -q '"rate_hz": *16000' "$work"/project/runs/*/metrics.json
grep -q '"mismatches": *0' "$work"/project/runs/*/footprint.json
grep -q '"fp_per_hour"' "$work"/project/runs/*/metrics.json
