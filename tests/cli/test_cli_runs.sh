#!/bin/sh
# test_cli_runs.sh TINAMOU FOLDER: the list of runs, tags, comparison and gates, on three small runs of one dataset.
set -eu
tinamou=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder/p"
cd "$folder"
cat >p/tinamou.yaml <<'YAML'
project: small
seed: 5
data: {simulate: {subjects: 10, minutes: 0.8}, test: [p02, p05, p08], validation: [p03]}
model:
  layers:
    - {op: conv1d, units: 8, kernel: 5, stride: 2}
    - {op: relu}
    - {op: gru, units: 8}
    - {op: dense}
train: {steps: 150, batch: 8, chunk: 200, evaluate_every: 50}
quantize: {steps: 20}
evaluate: {bootstrap: 200}
deploy: {verify_frames: 500}
YAML

fail() {
    echo "$1: $(cat out err 2>/dev/null)"
    exit 1
}
# ends CODE ARGUMENTS...: the command ends with that code; its output is in `out` and `err`
ends() {
    code=0 wanted=$1
    shift
    "$tinamou" "$@" >out 2>err || code=$?
    [ $code = "$wanted" ] || fail "tinamou $*: exit code $code, wanted $wanted"
}
says() {
    grep -q -- "$1" out err || fail "no '$1' in"
}
id_of() {
    sed -n 's/^  "run": {"id": //; s/^    "id": "\([0-9a-f]*\)".*/\1/p' "$1" | head -1
}

ends 0 runs p
says '^no runs$'
ends 2 check p --max-fnr 1
says 'no run of this project is evaluated yet'
ends 0 evaluate p -q --json
first=$(id_of out)
sed -i 's/gru, units: 8/gru, units: 12/' p/tinamou.yaml
ends 0 run p -q --json
second=$(id_of out)
sed -i 's/steps: 150/steps: 5/' p/tinamou.yaml
ends 0 run p -q --json
third=$(id_of out)

# tags and names
ends 0 runs tag "$first" base p
ends 0 runs tag "$second" wide p
ends 0 runs tag "$second" group p
ends 0 runs tag "$third" group p
ends 2 runs tag "$second" 'a b' p
ends 2 runs show group p
says 'is on 2 runs'
ends 0 runs show "$(echo "$first" | cut -c1-8)" p
says "^run $first of small, tags base$"
says 'metrics.json  *[0-9a-f]\{64\}$'
says 'train.steps: 150$'
ends 0 runs untag "$third" group p
ends 2 runs untag "$third" group p
ends 2 runs show nobody p
says "no run or tag 'nobody'"

# the list
ends 0 runs p
[ "$(wc -l <out)" = 4 ] || fail 'not three runs'
sed -n 2p out | grep -q "^$third" || fail 'the newest is not the first'
grep -q "^$second .*  group wide$" out || fail 'no tags'
! grep -q ' $' out || fail 'blanks at the end of a line'
COLUMNS=80 "$tinamou" runs p >out
awk 'length($0) > 80 {exit 1}' out || fail 'wider than 80'
grep -q 'accuracy  missed  *FP/h  *flash  *RAM  tags' out || fail 'the columns of 80 characters'
ends 0 runs p --sort flash
sed -n 4p out | grep -q "^$first" || fail 'a run without the figure is not the last'
ends 0 runs p --sort frame-accuracy
sed -n 4p out | grep -q "^$third" || fail 'the worst is not the last'
ends 0 runs p --tag wide --json
[ "$(grep -c '"id"' out)" = 1 ] || fail 'not one tagged run'
ends 2 runs p --sort colour
says 'give one of time, seed, frame-accuracy'

# comparison: the figures are those of the evaluation, wherever they come from
ends 0 runs compare base wide p --json
mv out compared
for figure in frame_accuracy macro_f1 fnr worst_fnr fcr fp_per_hour deadline_recall event_f1 segment_f1 iou50_f1 latency_mean_s; do
    wanted=$(sed -n "/\"summary\"/,\$s/^  *\"$figure\": \([0-9.e-]*\|null\),*/\1/p" "p/runs/$first/metrics.json" | head -1)
    got=$(sed -n "/\"$figure\"/,\$s/^ *\"a\": \([0-9.e-]*\|null\),*/\1/p" compared | head -1)
    awk "BEGIN {d = \"$got\" - \"$wanted\"; m = 1e-8 * (1 + \"$wanted\"); exit !(d < m && d > -m)}" || fail "$figure is $got, not $wanted"
done
grep -q '"key": "model.layers.2.units"' compared || fail 'no difference of settings'
ends 0 runs compare base wide p
says 'on 3 test people of the same dataset; 200 paired draws of people'
says 'model.layers.2.units: 8 -> 12'
says '^frame accuracy '
ends 0 runs compare "$first" "$second,$third" p
says 'draws of people and seeds'
says 'note: .* differ in 1 settings besides the seed, train.steps first'
ends 2 runs compare base "$first,$first" p
says 'stands twice'
ends 2 runs compare base
says 'needs A B'

# other data
sed -i 's/steps: 5,/steps: 150,/; s/minutes: 0.8/minutes: 0.9/' p/tinamou.yaml
ends 0 evaluate p -q --json
fourth=$(id_of out)
ends 0 evaluate p -q
says '^  frame accuracy without a reset between the recordings: [01][.][0-9]*$'
ends 11 runs compare base "$fourth" p
says 'were not measured on the same dataset'
ends 11 runs compare base "$fourth" p --common
says 'share no test person'

# gates: the newest evaluated run is the fourth, which is not deployed
ends 12 check p --max-fnr 1 --max-flash 100000
says "^run $fourth, evaluated"
says '^ok    max-fnr '
says "^FAIL  max-flash .* the stage 'deploy' is not done"
ends 0 check p --run wide --max-fnr 1 --max-flash 100000 --min-frame-accuracy 0 --min-frame-accuracy-no-reset 0 --max-latency-ms 100000
ends 12 check p --run wide --max-flash 1 --max-fnr 1
says '^FAIL  max-flash .*at most 1 .* is above 1$'
ends 12 check p --run wide --max-flash 1 --json
says '"passed": false'
says '"allowed": 1.0'
ends 0 check p --run base --against base
ends 12 check p --run "$third" --against base
says '^FAIL  against-frame-accuracy .* surely worse'
ends 0 check p --run base --against wide --max-regression 100 --max-fnr 1 --json
ends 2 check p
says 'nothing to check'
ends 2 check p --max-regression 1
ends 2 check p --max-fnr -1
ends 11 check p --run base --against "$fourth"

# a result that was changed counts no more
echo >>"p/runs/$first/metrics.json"
ends 2 runs compare base wide p
says 'no finished stage'
ends 12 check p --run base --max-fnr 1
says 'not done, or its files were changed'
