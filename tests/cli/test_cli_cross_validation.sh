#!/bin/sh
# test_cli_cross_validation.sh TINAMOU FOLDER: train.cross_validation. A part's model is that of an ordinary run whose validation people
# are the part; what it says of them chooses the rule; the model of all does not depend on the parts; after kill -9 the end is the same.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
fail() {
    echo "$1: $(cat out log 2>/dev/null)"
    exit 1
}

# project NAME LINES: six people, the last one for the test; LINES stand in `train`
project() {
    mkdir -p "$1/recordings"
    for k in 1 2 3 4 5 6; do
        awk -v k=$k 'BEGIN {
            print "time,ax,ay,az,label"
            for (i = 0; i < 2000; i++) {
                wave = i % 200 >= 100 + k && i % 200 < 160 + k
                printf "%.2f,%.3f,%.3f,9.81,%s\n", i / 50, (wave ? 8 : 1) * sin(i / (3 + k / 4)), cos(i / (9 + k)), wave ? "WAVE" : "REST"
            }}' >"$1/recordings/p$k.csv"
    done
    cat >"$1/tinamou.yaml" <<YAML
project: people
seed: 3
data:
  source: import
  path: recordings
  rate_hz: 50
  classes: [{name: REST}, {name: WAVE, event: true}]
  validation: [p5]
  test: [p6]
  import:
    files: [{path: "{subject}.csv", time_column: time, time_unit: s, channels: [{columns: [ax, ay, az], unit: m/s^2}]}]
    labels: {column: label}
model:
  layers:
    - {op: conv1d, units: 8, kernel: 5, stride: 2}
    - {op: batch_norm}
    - {op: relu}
    - {op: gru, units: 8}
    - {op: dense}
train:
  steps: 120
  batch: 8
  chunk: 200
  evaluate_every: 50
  checkpoint_every: 20
$2
compress:
  - {method: prune, keep: 0.8, steps: 20}
quantize: {steps: 20}
evaluate: {bootstrap: 100}
deploy: {verify_frames: 500}
YAML
}
run_of() { ls -d "$1"/runs/*/; }

project whole "  cross_validation: 2"
started=$(date +%s%N)
"$tinamou" run whole --threads 2 >out 2>log || fail "run"
whole_ms=$((($(date +%s%N) - started) / 1000000))
whole=$(run_of whole)
grep -q 'a model for each of 2 parts of 5 people, and one of all' log || fail "it is not said who trains"
grep -q 'train: step 120 of 120, nobody validates' log || fail "the model of all is said to be validated"
! grep -qi 'nan' log out || fail "nan where nobody validates"
! grep -qE '[:,[]-?nan' "$whole"*.json || fail "nan in JSON"
jq -e '.train.validation_macro_f1 == null and .train.steps == 120' >/dev/null <<JSON || fail "--json"
$("$tinamou" run whole --json 2>/dev/null)
JSON

# everybody but the test people chooses the rule, each once
[ "$(jq -r '[.validation[].subject] | join(" ")' "$whole"timelines.json)" = "p1 p2 p3 p4 p5" ] || fail "who chooses the rule"
[ "$(jq -r '[.streams[].subject] | join(" ")' "$whole"timelines.json)" = "p6" ] || fail "who is tested"
[ "$(jq .chosen.validation.n_events "$whole"tuning.json)" = 50 ] || fail "events that choose"

# a part is an ordinary run without its people
for part in 1 2; do
    project "plain$part" "  keep_last: true"
    [ $part = 1 ] && people="p1, p3, p5" || people="p2, p4"
    sed -i "s/validation: .*/validation: [$people]/" "plain$part/tinamou.yaml"
    "$tinamou" evaluate "plain$part" --threads 1 >out 2>log || fail "an ordinary run"
    for model in model_float model_compressed model_int8; do
        cmp "$(run_of "plain$part")$model.safetensors" "$whole/part$part/$model.safetensors" || fail "$model of part $part"
    done
    said='[.validation[] | select(.subject as $s | $people | contains($s)) | .predicted]'
    [ "$(jq --arg people "$people" "$said" "$whole"timelines.json)" = "$(jq --arg people "$people" "$said" "$(run_of "plain$part")timelines.json")" ] ||
        fail "what the model of part $part says"
    ! cmp -s "$whole/part$part/model_float.safetensors" "$whole/model_float.safetensors" || fail "the model of all is that of part $part"
done

# the model of all is the same however many parts choose its rule
project three "  cross_validation: 3"
"$tinamou" quantize three >out 2>log || fail "three parts"
for model in model_float model_compressed model_int8; do
    cmp "$(run_of three)$model.safetensors" "$whole$model.safetensors" || fail "$model of all depends on the parts"
done

# every part belongs to its stage: a file that is gone is made again, and --force makes them all again
rm "$whole/part2/model_float.safetensors"
"$tinamou" run whole >out 2>log || fail "a part's file is gone"
! grep -q 'train: done before' log || fail "a part's file is gone, and nothing was done"
"$tinamou" train whole --force >out 2>log || fail "--force"
[ "$(grep -c '120 steps, ' log)" = 3 ] || fail "--force did not train all three"
"$tinamou" run whole --threads 1 >out 2>log || fail "run behind it"

# killed at eight times
kills=0
for eighth in 1 2 3 4 5 6 7 8; do
    project "at$eighth" "  cross_validation: 2"
    "$tinamou" run "at$eighth" --quiet >out 2>log &
    pid=$!
    sleep "$(awk -v ms=$((whole_ms * (2 * eighth - 1) / 16)) 'BEGIN {printf "%.3f", ms / 1000}')"
    kill -9 $pid 2>/dev/null || true
    code=0
    wait $pid 2>/dev/null || code=$?
    [ $code != 137 ] || kills=$((kills + 1))
    "$tinamou" run "at$eighth" --quiet >out 2>log || fail "after a kill"
    for project in whole "at$eighth"; do # the same recordings at other times: names of datasets differ, nothing else
        (cd "$project" && find runs -type f ! -path 'runs/runs.sqlite*' ! -name lock ! -name .lock ! -path '*/build-m4/*' ! -name '*checkpoint*' |
            LC_ALL=C sort | xargs sha256sum) >"$project.sums"
    done
    diff whole.sums "at$eighth.sums" || fail "another end after the kill"
    rm -rf "at$eighth"
done
[ $kills -gt 2 ] || fail "only $kills kills hit"

# refused LINE WORDS: with this line in `train`
refused() {
    project wrong "$1"
    code=0
    "$tinamou" run wrong >out 2>log || code=$?
    [ $code != 0 ] && grep -q "$2" log || fail "'$1' was not refused by '$2'"
    rm -rf wrong
}
refused "  cross_validation: 1" 'tinamou.yaml:26: .*cross_validation is 1; write 2 or more'
refused "  cross_validation: 21" 'cross_validation.*20'
refused "  cross_validation: -2" 'cross_validation'
refused "  cross_validation: six" 'cross_validation'
refused "  cross_validation: 6" 'asks for 6 parts, but besides the test people there are 5; write 5 or less'
project wrong "  cross_validation: 2"
sed -i 's/{method: prune.*/{method: distill, teacher: abcdef123456}/' wrong/tinamou.yaml
code=0
"$tinamou" run wrong >out 2>log || code=$?
[ $code != 0 ] && grep -q 'compress\[1\] has the teacher of another run, who has seen everybody' log || fail "a teacher that has seen everybody"

"$tinamou" tune whole --max-fp-per-hour 100 >out 2>log || fail "tune"
grep -q '50 events' out || fail "tune shows other people"
[ "$(run_of whole)" = "$whole" ] || fail "tune made another run"
