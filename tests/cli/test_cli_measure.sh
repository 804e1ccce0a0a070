#!/bin/sh
# test_cli_measure.sh TINAMOU FOLDER: `deploy --measure` on whole test recordings of simulated gestures, on every core.
set -eu
tinamou=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
fail() {
    echo "$1"
    exit 1
}
"$tinamou" init --quiet "$folder/p"
# a short training: whole recordings matter here, not the quality
sed 's/steps: 4000/steps: 200/; s/steps: 300/steps: 60/' "$folder/p/tinamou.yaml" >"$folder/yaml"
cp "$folder/yaml" "$folder/p/tinamou.yaml"

# all cores: the figures in a table, an estimate that says that it is one, a footprint of each
"$tinamou" deploy "$folder/p" --measure all --quiet >"$folder/out"
run=$(echo "$folder"/p/runs/?*/)
for core in m0 m3 m4 m7 m33 m55 rv32 ppc aarch64 x86-64; do
    grep -q '"mismatches": 0' "$run/footprint-$core.json" || fail "no footprint of $core: $(cat "$folder/out")"
done
grep -q 'ESTIMATE, no measurement' "$folder/out" || fail "no word that it is an estimate: $(cat "$folder/out")"
for word in Cortex-M0 Cortex-M55 RISC-V PowerPC nrf52840 'cycles per instruction'; do
    grep -q "$word" "$folder/out" || fail "$word is missing: $(cat "$folder/out")"
done
grep -q 'AVR ATmega2560 *does not fit' "$folder/out" || fail "the AVR holds too much: $(cat "$folder/out")"
grep -q '"insn_per_decision": null' "$run/footprint-ppc.json" || fail "a core without a clock has a figure"

# one device, for a program; the stage is not done again, and the Cortex-M4 gives what the stage gave
"$tinamou" deploy "$folder/p" --measure m4 --profile apollo3 --json >"$folder/out" 2>"$folder/log"
grep -q 'deploy: done before' "$folder/log" || fail "the stage was done again: $(cat "$folder/log")"
[ "$(grep -c '"profile":' "$folder/out")" = 1 ] || fail "not one estimate: $(cat "$folder/out")"
cmp "$run/footprint.json" "$run/footprint-m4.json"

# what cannot be
refused() { # refused WORD CODE OPTIONS...
    word=$1 expected=$2
    shift 2
    code=0
    "$tinamou" deploy "$folder/p" "$@" --quiet >"$folder/out" 2>"$folder/log" || code=$?
    [ $code = "$expected" ] && grep -q "$word" "$folder/log" || fail "$*: exit code $code: $(cat "$folder/log")"
}
refused "there is no target 'm44'" 2 --measure m4,m44
refused 'give --measure m4' 2 --profile apollo3 --measure m0
refused "no power profile 'toaster'" 2 --profile toaster --measure m0
refused 'do not fit the memory of the emulated AVR' 9 --measure avr
mkdir "$folder/bin"
for tool in /usr/bin/arm-none-eabi-*; do ln -s "$tool" "$folder/bin/"; done
PATH=$folder/bin
export PATH
code=0
"$tinamou" deploy "$folder/p" --measure rv32 --quiet >"$folder/out" 2>"$folder/log" || code=$?
PATH=/usr/bin:/bin
[ $code = 8 ] && grep -q 'apt-get install gcc-riscv64-unknown-elf' "$folder/log" || fail "no compiler: $code: $(cat "$folder/log")"
echo "measure: all good"
