#!/bin/sh
# evaluation.sh [spsw|hapt-transitions|leave-one-out...]: measures and prints the tables of docs/evaluation.md (default: all of them):
# three seeds on the test people, with the decision rule of each preset chosen on the validation people, and everybody of SPSW tested
# once. TINAMOU_DATA is the folder that holds hapt/ and spsw/, as published. Work is kept in build/evaluation; what is done is not repeated
# by the same program.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/build/evaluation
seeds='1 2 3'
data=${TINAMOU_DATA:?evaluation: set TINAMOU_DATA to the folder that holds hapt/ and spsw/}

build() {
    sh "$root/scripts/setup.sh"
    command -v jq >/dev/null || { echo "evaluation: jq is missing; sh scripts/setup.sh test" >&2; exit 1; }
    cmake -S "$root" -B "$root/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
    cmake --build "$root/build/release" --target tinamou >&2
    tinamou=$root/build/release/tinamou
    program=$(sha256sum "$tinamou" | cut -c1-64)
    if [ "$(cat "$work/program" 2>/dev/null)" != "$program" ]; then
        rm -rf "$work"
        mkdir -p "$work"
        echo "$program" >"$work/program"
    fi
}

# chosen PROJECT DATASET SEED NAME OPTIONS...: $work/PROJECT/NAME.SEED.json, the metrics.json of the run with the rule that `tune` chose
chosen() {
    project=$work/$1 dataset=$data/$2 seed=$3 out=$work/$1/$4.$3.json
    shift 4
    [ ! -f "$out" ] || return 0
    "$tinamou" tune "$project" --data "$dataset" --seed "$seed" -q --json "$@" >"$project/tuned.json"
    cp "$(jq -r .run.folder "$project/tuned.json")/metrics.json" "$out.part"
    mv "$out.part" "$out"
}

measure() { # measure EXAMPLE DATASET
    mkdir -p "$work/$1"
    cp "$root/examples/$1/tinamou.yaml" "$work/$1/"
    for s in $seeds; do
        echo "evaluation: $1, seed $s" >&2
        "$tinamou" evaluate "$work/$1" --data "$data/$2" --seed "$s" -q --json >"$work/$1/run.$s.json"
        for preset in responsive balanced strict; do chosen "$1" "$2" "$s" $preset --preset $preset; done
        chosen "$1" "$2" "$s" at5fp --max-fp-per-hour 5
    done
}

# One cell: the mean over the seeds, and from the lowest to the highest end of their 95 % intervals.
cells='
def round($d): if . == null then "-" else
    (. * pow(10; $d) | round) as $n | ($n | fabs | tostring) as $t | (if $n < 0 then "-" else "" end)
    + if $d == 0 then $t else ("0000" + $t)[-([($t | length), $d + 1] | max):] | "\(.[:-$d]).\(.[-$d:])" end end;
def mean: map(select(. != null)) | if length == 0 then null else add / length end;
def cell($section; $key; $interval; $scale; $d):
    map(.test.integer[$section]) | (map(.[$key]) | mean | if . == null then null else . * $scale end | round($d)) as $m
    | [.[][$interval] // empty | .[0] // empty] as $low | [.[][$interval] // empty | .[1] // empty] as $high
    | if ($low | length) == 0 then $m else "\($m) (\($low | min * $scale | round($d)) to \($high | max * $scale | round($d)))" end;
def percentile($key): (map(.test.integer.events.latency[$key]) | mean | if . == null then null else . * 1000 end | round(0));
def worst: map(.test.integer.events.worst.fnr_plus_fcr // empty) | "\(map(.value) | mean | round(3)) (\(map(.name) | unique | join(", ")))";
'
table() { # table PROJECT: a row per figure, a column per preset
    echo "| | responsive | balanced | strict |"
    echo "|---|---|---|---|"
    while IFS='|' read -r title expression; do
        printf '| %s' "$title"
        for preset in responsive balanced strict; do
            printf ' | %s' "$(cat "$work/$1/$preset".[0-9].json | jq -rs "$cells $expression")"
        done
        echo ' |'
    done <<'ROWS'
frame accuracy|cell("frames"; "accuracy"; "accuracy_95"; 1; 3)
missed (FNR)|cell("events"; "fnr"; "fnr_95"; 1; 3)
wrong class (FCR)|cell("events"; "fcr"; "fcr_95"; 1; 3)
false positives per hour, exact interval|cell("events"; "fp_per_hour"; "fp_per_hour_exact_95"; 1; 1)
found within 1 s|cell("events"; "deadline_recall"; "deadline_recall_95"; 1; 3)
latency, mean, ms|cell("events"; "latency_mean_s"; "latency_mean_s_95"; 1000; 0)
latency, median and 95th percentile, ms|"\(percentile("median_s")), \(percentile("p95_s"))"
event F1|cell("events"; "f1"; "f1_95"; 1; 3)
IoU-0.5 F1|cell("events"; "iou50_f1"; "iou50_f1_95"; 1; 3)
IoU-0.75 F1|cell("events"; "iou75_f1"; "iou75_f1_95"; 1; 3)
segment F1|cell("events"; "segment_f1"; "segment_f1_95"; 1; 3)
missed or wrong, worst person|worst
ROWS
    echo
}

trivial() { # trivial PROJECT: they do not depend on seed and preset
    echo "| looking at no signal | frame accuracy | missed | wrong class | false per hour | within 1 s | event F1 | IoU-0.5 F1 | segment F1 |"
    echo "|---|---|---|---|---|---|---|---|---|"
    jq -r "$cells"' .trivial[] | "| \(.name) | \(.frames.accuracy | round(3)) | \(.events.fnr | round(3)) | \(.events.fcr | round(3)) | "
        + "\(.events.fp_per_hour | round(1)) | \(.events.deadline_recall | round(3)) | \(.events.f1 | round(3)) | "
        + "\(.events.iou50_f1 | round(3)) | \(.events.segment_f1 | round(3)) |"' "$work/$1/balanced.1.json"
    echo
}

facts() { # facts PROJECT
    cat "$work/$1/at5fp".[0-9].json | jq -rs "$cells"' "At most 5 false positives per hour asked for: missed or wrong " +
        cell("events"; "fnr_plus_fcr"; "fnr_plus_fcr_95"; 1; 3) + ", false positives per hour " +
        cell("events"; "fp_per_hour"; "fp_per_hour_exact_95"; 1; 1) + "."'
    jq -r '"\(.test.integer.people | length) test people, \(.test.integer.events.n_events) events, \(.test.integer.events.rejection_hours * 60 | . * 10 | round / 10) minutes without one; "' \
        "$work/$1/balanced.1.json" | tr -d '\n'
    jq -r '"\(.train.parameters) parameters, \(.quantize.weight_bytes) bytes of weights."' "$work/$1/run.1.json"
    echo
}

leave_one_out() {
    mkdir -p "$work/leave-one-out"
    # 18 models without teachers, and with people who validate: else it would be 792 trainings
    sed '/^compress:/,/^quantize:/{/^quantize:/!d;}; s/^  cross_validation: .*/  keep_last: true/' "$root/examples/spsw/tinamou.yaml" \
        >"$work/leave-one-out/tinamou.yaml"
    "$tinamou" run "$work/leave-one-out" --data "$data/spsw" --leave-one-out >"$work/leave-one-out/table"
    cat "$work/leave-one-out/table"
}

build
for what in ${*:-spsw hapt-transitions leave-one-out}; do
    case $what in
    spsw | hapt-transitions)
        measure "$what" "${what%%-*}"
        table "$what"
        trivial "$what"
        facts "$what"
        ;;
    leave-one-out) leave_one_out ;;
    *) echo "evaluation: '$what' is none of spsw, hapt-transitions, leave-one-out" >&2; exit 2 ;;
    esac
done
