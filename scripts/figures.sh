#!/bin/sh
# figures.sh [ID...]: measures and prints one line per figure, `id value unit`. Progress goes to stderr. Without an ID: all of them.
# An ID may be a prefix: `figures.sh spsw m4.har`. TINAMOU_DATA is the folder that holds hapt/ and spsw/, as published.
# Work is kept in build/figures; a run that is there already and was made by the same program is not repeated.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/build/figures
seeds='1 2 3'

wanted() { # wanted ID: whether it was asked for
    [ -n "$ids" ] || return 0
    for id in $ids; do
        case $1 in "$id" | "$id".*) return 0 ;; esac
    done
    return 1
}
any_wanted() {
    for one in "$@"; do
        if wanted "$one"; then return 0; fi
    done
    return 1
}
group_wanted() { # group_wanted PREFIX: whether any ID of the group was asked for
    if wanted "$1"; then return 0; fi
    for id in $ids; do
        case $id in "$1".*) return 0 ;; esac
    done
    return 1
}
put() { # put ID VALUE UNIT
    if wanted "$1"; then printf '%s %s %s\n' "$1" "$2" "$3"; fi
}
mean() { awk '{s += $1; n++} END {if (n == 0) exit 1; printf "%.4f", s / n}'; }
total() { awk '{s += $1; n++} END {if (n == 0) exit 1; printf "%.0f", s}'; }
# field FILE KEY: a number of a run's JSON, at any depth but only once there
field() {
    value=$(sed -n "s/^ *\"$2\": \\([-0-9.e+]*\\),\\{0,1\\}\$/\\1/p" "$1")
    [ -n "$value" ] || { echo "figures: $1 holds no $2" >&2; exit 1; }
    echo "$value"
}
values() { # values PROJECT KEY: one line per seed
    for seed in $seeds; do field "$work/$1/seed$seed.json" "$2"; done
}

build() {
    sh "$root/scripts/setup.sh"
    cmake -S "$root" -B "$root/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTINAMOU_TESTS=OFF >&2
    cmake --build "$root/build/release" --target tinamou bench_har bench_drift >&2
    tinamou=$root/build/release/tinamou
    # a program that was built anew begins anew, though its version may be the same
    program=$(sha256sum "$tinamou" | cut -c1-64)
    if [ "$(cat "$work/program" 2>/dev/null)" != "$program" ]; then
        rm -rf "$work"
        mkdir -p "$work"
        echo "$program" >"$work/program"
    fi
}

# run_example NAME DATASET [EXAMPLE EDIT]: all seeds of examples/NAME, or of another one edited by sed; what is done is skipped
# by the program itself
run_example() {
    data=${TINAMOU_DATA:?figures: set TINAMOU_DATA to the folder that holds hapt/ and spsw/}/$2
    mkdir -p "$work/$1"
    sed "${4:-}" "$root/examples/${3:-$1}/tinamou.yaml" >"$work/$1/tinamou.yaml"
    for seed in $seeds; do
        echo "figures: $1, seed $seed" >&2
        "$tinamou" run "$work/$1" --data "$data" --seed "$seed" --json >"$work/$1/seed$seed.json.part"
        mv "$work/$1/seed$seed.json.part" "$work/$1/seed$seed.json"
    done
}

demo() {
    any_wanted demo.seconds || return 0
    rm -rf "$work/demo"
    "$tinamou" init --quiet "$work/demo"
    started=$(date +%s.%N)
    "$tinamou" run "$work/demo" >/dev/null
    put demo.seconds "$(date +%s.%N | awk -v s="$started" '{printf "%.1f", $1 - s}')" s
}

spsw() {
    any_wanted spsw.int8.frame_accuracy spsw.int8_minus_float spsw.int8.iou50_f1 exact.m4.mismatches || return 0
    run_example spsw spsw
    put spsw.int8.frame_accuracy "$(values spsw frame_accuracy | mean)" fraction
    put spsw.int8_minus_float "$(
        { values spsw frame_accuracy; values spsw float_frame_accuracy; } |
            awk '{v[NR] = $1} END {n = NR / 2; for (i = 1; i <= n; i++) s += v[i] - v[n + i]; printf "%.3f", 100 * s / n}'
    )" points
    put spsw.int8.iou50_f1 "$(values spsw iou50_f1 | mean)" fraction
}

# with a fixed delay of 0.2 s: five decisions, 40 ms apart
spsw_delay() {
    any_wanted spsw.int8.frame_accuracy_d200 || return 0
    run_example spsw-delay spsw spsw '/^model:/a\  delay_ms: 200'
    put spsw.int8.frame_accuracy_d200 "$(values spsw-delay frame_accuracy | mean)" fraction
}

hapt() {
    if any_wanted hapt.int8.window_accuracy; then
        run_example hapt-windows hapt
        put hapt.int8.window_accuracy "$(values hapt-windows window_accuracy | mean)" fraction
    fi
    if any_wanted hapt.int8.window_accuracy_h; then
        run_example hapt-windows-history hapt
        put hapt.int8.window_accuracy_h "$(values hapt-windows-history window_accuracy | mean)" fraction
    fi
    if any_wanted hapt.int8.frame_accuracy hapt.int8.frame_accuracy_no_reset exact.m4.mismatches; then
        run_example hapt-activities hapt
        put hapt.int8.frame_accuracy "$(values hapt-activities frame_accuracy | mean)" fraction
        put hapt.int8.frame_accuracy_no_reset "$(values hapt-activities frame_accuracy_no_reset | mean)" fraction
    fi
    if any_wanted hapt.int8.iou50_f1; then
        run_example hapt-transitions hapt
        put hapt.int8.iou50_f1 "$(values hapt-transitions iou50_f1 | mean)" fraction
    fi
    if any_wanted hapt.int8.fnr_at_5fp; then # missed or misnamed, by the rule that has at most 5 false ones per hour on validation
        run_example hapt-alarms hapt hapt-transitions 's/objective: iou_f1/max_fp_per_hour: 5/'
        put hapt.int8.fnr_at_5fp "$(
            { values hapt-alarms fnr; values hapt-alarms fcr; } | awk '{s += $1} END {if (NR == 0) exit 1; printf "%.4f", 2 * s / NR}'
        )" fraction
    fi
}

exact() { # every frame of the test recordings of both data sets, over all seeds
    any_wanted exact.m4.mismatches || return 0
    put exact.m4.mismatches "$({ values spsw mismatches; values hapt-activities mismatches; } | total)" frames
}

cores() { # the simulated gestures' whole test recordings on each emulated core that holds the model
    any_wanted exact.cores exact.frames || return 0
    [ -d "$work/cores" ] || "$tinamou" init --quiet "$work/cores"
    "$tinamou" deploy "$work/cores" --measure all >/dev/null
    for footprint in "$work"/cores/runs/*/footprint-*.json; do
        echo "$(field "$footprint" verified_frames) $(field "$footprint" mismatches)"
    done >"$work/cores/compared"
    put exact.cores "$(awk '$2 == 0 {n++} END {print n + 0}' "$work/cores/compared")" cores
    put exact.frames "$(total <"$work/cores/compared")" frames
}

har() {
    group_wanted m4.har || group_wanted m0.har || group_wanted m3.har || group_wanted m7.har || group_wanted m33.har ||
        group_wanted m55.har || group_wanted rv32.har || wanted gen.seconds || return 0
    "$root/build/release/bench_har" "$work/har" | while read -r id value unit; do put "$id" "$value" "$unit"; done
}

train() { # one thread, batch 64: the loop with sampling and augmentation, seconds of this thread only; the step over the core's peak
    any_wanted train.loop_share train.fma_share || return 0
    cmake --build "$root/build/release" --target bench_train >&2
    bench=$(find "$root/build/release" -name bench_train -type f)
    put train.loop_share "$("$bench" a 64 loop)" ratio
    put train.fma_share "$("$bench" a 64 share)" ratio
}

replay() { # needs PyTorch: TINAMOU_PYTHON is a Python that has it
    any_wanted replay.ratio || return 0
    python=${TINAMOU_PYTHON:-python3}
    if ! "$python" -c 'import torch' 2>/dev/null; then
        echo "figures: replay.ratio is left out: $python has no torch; make a venv with bench/replay/requirements.txt and set TINAMOU_PYTHON" >&2
        return 0
    fi
    cmake --build "$root/build/release" --target bench_replay >&2
    "$python" "$root/bench/replay/bench_replay.py" "$(find "$root/build/release" -name bench_replay -type f)" |
        while read -r id value unit; do put "$id" "$value" "$unit"; done
}

csv_import() { # needs pandas: TINAMOU_PYTHON is a Python that has it
    any_wanted data.csv_import_ratio data.csv_import_ratio_all_cores || return 0
    python=${TINAMOU_PYTHON:-python3}
    if ! "$python" -c 'import pandas' 2>/dev/null; then
        echo "figures: data.csv_import_ratio is left out: $python has no pandas; make a venv with bench/import/requirements.txt and set TINAMOU_PYTHON" >&2
        return 0
    fi
    cmake --build "$root/build/release" --target bench_import >&2
    mkdir -p "$work/import"
    "$python" "$root/bench/import/bench_import.py" "$(find "$root/build/release" -name bench_import -type f)" "$work/import" |
        while read -r id value unit; do put "$id" "$value" "$unit"; done
}

# drift_of PROJECT: of each seed, a line
drift_of() {
    for seed in $seeds; do
        json=$work/$1/seed$seed.json
        "$root/build/release/bench_drift" "$(sed -n 's/^ *"file": "\(.*\.tind\)",\{0,1\}$/\1/p' "$json")" \
            "$(sed -n 's/^ *"folder": "\(.*\)",\{0,1\}$/\1/p' "$json")" || return 1
    done
}
drift() { # the lowest of both data sets and all seeds
    any_wanted drift.1e6_frames || return 0
    run_example spsw spsw
    run_example hapt-activities hapt
    spsw_drift=$(drift_of spsw)
    hapt_drift=$(drift_of hapt-activities)
    put drift.1e6_frames "$(printf '%s\n' "$spsw_drift" "$hapt_drift" | sort -g | head -n 1)" ratio
}

# peak_mib COMMAND...: the greatest resident memory of a command, file pages and all
peak_mib() {
    [ -x /usr/bin/time ] || { echo "figures: /usr/bin/time is missing (package time)" >&2; exit 1; }
    /usr/bin/time -f '%M %e' -o "$work/peak" "$@" >/dev/null
    awk '{printf "%.0f", $1 / 1024}' "$work/peak"
}
large() { # 1,000 simulated hours of six channels at 50 Hz, 2.2 GB; about ten minutes and 11 GB of disk for a while
    any_wanted data.build_1000h_mib data.train_1000h_mib || return 0
    rm -rf "$work/large"
    mkdir -p "$work/large"
    sed -n '/^model:/,/^ *- {op: dense}/p' "$root/examples/gestures/tinamou.yaml" >"$work/large/tinamou.yaml"
    cat >>"$work/large/tinamou.yaml" <<'YAML'
project: large
data: {simulate: {subjects: 1000, minutes: 60}}
train: {steps: 300, evaluate_every: 150}
YAML
    put data.build_1000h_mib "$(peak_mib "$tinamou" data "$work/large" --quiet)" MiB
    put data.train_1000h_mib "$(peak_mib "$tinamou" train "$work/large" --quiet)" MiB
    rm -rf "$work/large"
}

# people FIRST LAST: simulated ones, as a list
people() {
    seq "$1" "$2" | awk '{printf "%sp%02d", (NR > 1 ? ", " : ""), $1}'
}
fleet() { # 1,013 simulated hours of test recordings and 10 of validation; about twelve minutes and 11 GB of disk for a while
    any_wanted evaluate.1000h_mib evaluate.1000h_seconds || return 0
    rm -rf "$work/fleet"
    mkdir -p "$work/fleet"
    sed -n '/^model:/,/^ *- {op: dense}/p' "$root/examples/gestures/tinamou.yaml" >"$work/fleet/tinamou.yaml"
    cat >>"$work/fleet/tinamou.yaml" <<YAML
project: fleet
data:
  simulate: {subjects: 1000, minutes: 62}
  validation: [$(people 11 20)]
  test: [$(people 21 1000)]
train: {steps: 1500, evaluate_every: 1500}
YAML
    "$tinamou" quantize "$work/fleet" --quiet >/dev/null
    put evaluate.1000h_mib "$(peak_mib "$tinamou" evaluate "$work/fleet" --quiet)" MiB
    put evaluate.1000h_seconds "$(awk '{printf "%.0f", $2}' "$work/peak")" s
    rm -rf "$work/fleet"
}

determinism() {
    any_wanted determinism.identical || return 0
    if sh "$root/tests/cli/test_cli_determinism.sh" "$tinamou" "$work/determinism" >&2; then
        put determinism.identical 1 boolean
    else
        put determinism.identical 0 boolean
    fi
}

ids=$*
build
demo
spsw
spsw_delay
hapt
exact
cores
har
train
replay
csv_import
drift
large
fleet
determinism
