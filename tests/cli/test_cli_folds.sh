#!/bin/sh
# test_cli_folds.sh TINAMOU FOLDER: leave one person out: everybody is tested by a run of their own, whatever they are called; what
# was done is skipped, and after kill -9 of all the end is the same.
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

# record PROJECT PERSON SEED EVENTS: 40 s at 50 Hz; a wave every 4 s, or none
record() {
    mkdir -p "$1/recordings/$2"
    awk -v k="$3" -v events="$4" 'BEGIN {
        print "time,ax,ay,az,label"
        for (i = 0; i < 2000; i++) {
            wave = events && i % 200 >= 100 + k && i % 200 < 160 + k
            printf "%.2f,%.3f,%.3f,9.81,%s\n", i / 50, (wave ? 8 : 1) * sin(i / (3 + k / 4)), cos(i / (9 + k)), wave ? "WAVE" : "REST"
        }}' >"$1/recordings/$2/day.csv"
}
# project NAME
project() {
    mkdir -p "$1"
    cat >"$1/tinamou.yaml" <<'YAML'
project: people
seed: 3
data:
  source: import
  path: recordings
  rate_hz: 50
  classes: [{name: REST}, {name: WAVE, event: true}]
  test: [zoë] # says nothing where everybody is tested
  validation: ['Ann B']
  import:
    files: [{path: "{subject}/{session}.csv", time_column: time, time_unit: s, channels: [{columns: [ax, ay, az], unit: m/s^2}]}]
    labels: {column: label}
model:
  layers:
    - {op: conv1d, units: 8, kernel: 5, stride: 2}
    - {op: relu}
    - {op: gru, units: 8}
    - {op: dense}
train: {steps: 150, batch: 8, chunk: 200, evaluate_every: 50, checkpoint_every: 20}
quantize: {steps: 20}
evaluate: {bootstrap: 100}
deploy: {verify_frames: 500}
YAML
}
people() {
    record "$1" "Ann B" 1 1
    record "$1" "O'Neil, \"Bob\"" 5 1
    record "$1" quiet 9 0
    record "$1" zoë 13 1
}

project whole
people whole
started=$(date +%s%N)
"$tinamou" run whole --leave-one-out >out 2>log || fail "leave one out"
whole_ms=$((($(date +%s%N) - started) / 1000000))
[ "$(ls -d whole/runs/*/ | wc -l)" = 4 ] || fail "runs: $(ls whole/runs)"
for person in "Ann B" "O'Neil, \"Bob\"" quiet zoë; do
    grep -q "^fold [1-4] ($person): done, [1-4] of 4" log || fail "$person has no run"
    tr -d '\n' <whole/data/split-subject-all.json | grep -qF "$(printf %s "$person" | sed 's/"/\\"/g')" || fail "$person has no fold"
done
grep -q '2 + 1 + 1 people' log || fail "who validates"

# the figures over all: the sums of the four runs, every person once, and the same again by their tag
grep -q '^4 test people of 4 runs$' out || fail "the figures over all people"
tag=$(sed -n 's/.*runs pool \(folds-[0-9a-f]*\).*/\1/p' out)
[ "$("$tinamou" runs whole --tag "$tag" | grep -c "$tag")" = 4 ] || fail "the tag is not on four runs"
"$tinamou" runs pool "$tag" whole >again 2>log || fail "runs pool"
sed -n '/^4 test people/,/^looking/p' out | grep -v '^looking' >first
sed '/^looking/,$d' again | diff first - || fail "runs pool prints something else"
grep -q '^quiet  *0 .* -  *- ' again || fail "the person without events"
"$tinamou" runs pool "$tag" whole --json >pooled.json || fail "runs pool --json"
for key in n_events missed wrong_class false_positives true_positives latency_frames rejection_frames n_segments overlap50; do
    sum=$(cat whole/runs/*/metrics.json | jq ".test.integer.events.$key" | awk '{s += $1} END {print s}')
    [ "$(jq ".test.integer.events.$key" pooled.json)" = "$sum" ] || fail "$key does not add up to $sum"
done
[ "$(jq -r '.test.integer.people[].name' pooled.json | LC_ALL=C sort | tr '\n' ,)" = "Ann B,O'Neil, \"Bob\",quiet,zoë," ] || fail "the people"
right=$(cat whole/runs/*/metrics.json | jq '[.test.integer.frames.confusion as $c | range($c | length) | $c[.][.]] | add' | awk '{s += $1} END {print s}')
[ "$(jq '[.test.integer.frames.confusion as $c | range($c | length) | $c[.][.]] | add' pooled.json)" = "$right" ] || fail "right frames"
run=$(ls whole/runs | grep -v sqlite | head -1)
code=0
"$tinamou" runs pool "$tag,$run" whole >out 2>log || code=$?
[ $code = 2 ] && grep -q "run $run stands twice" log || fail "a run twice"

# done is done
"$tinamou" run whole --leave-one-out >out 2>log || fail "again"
[ "$(grep -c 'train: done before' log)" -ge 1 ] || fail "trained again"
! grep -q 'evaluate int8' log || fail "evaluated again"

# killed in the midst, twice, nothing goes on behind it, and the end is the same
project killed
people killed
for part in 3 2; do
    "$tinamou" run killed --leave-one-out --quiet >out 2>log &
    pid=$!
    sleep "$(awk -v ms=$((whole_ms / part)) 'BEGIN {printf "%.3f", ms / 1000}')"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
done
"$tinamou" run killed --leave-one-out >out 2>log || fail "after a kill"
rm -f killed/data/.lock whole/data/.lock
# the same recordings at other times: names of datasets differ, nothing else
same_runs() {
    for project in whole killed; do
        (cd $project && find runs -type f ! -path 'runs/runs.sqlite*' ! -name lock ! -path '*/build-m4/*' ! -name '*checkpoint*' | LC_ALL=C sort | xargs sha256sum) >$project.sums
    done
    diff whole.sums killed.sums
}
same_runs || fail "another end after the kill"

# another recipe, compared on everybody, paired by person
sed -i 's/gru, units: 8/gru, units: 12/' whole/tinamou.yaml
"$tinamou" run whole --leave-one-out -q --json >other.json 2>log || fail "another recipe"
other=$(jq -r .tag other.json)
jq -e '.pooled.n_runs == 4 and (.runs | length) == 4' other.json >/dev/null || fail "--json of folds"
"$tinamou" runs compare "$tag" "$other" whole >out 2>log || fail "compare"
grep -q '^on 4 test people of the same dataset; 100 paired draws of people$' out || fail "what was compared"
grep -q '^  model.layers.2.units: 8 -> 12$' out || fail "what differs"
! grep -q 'split.fold' out log || fail "folds are no difference"
"$tinamou" runs compare "$tag" "$other" whole --json >compared.json || fail "compare --json"
[ "$(jq .figures.fnr.a compared.json)" = "$(jq '.test.integer.events.fnr' pooled.json)" ] || fail "other figures than the pooled ones"
sed -i 's/gru, units: 12/gru, units: 8/' whole/tinamou.yaml

# a run is the one that the settings make
sed -i '/^  test:/d; /^  validation:/d; s/^  import:$/  split: {folds: all, fold: 3}\n  import:/' whole/tinamou.yaml
"$tinamou" run whole >out 2>log || fail "fold 3 by settings"
grep -q 'report: done before' log || fail "fold 3 is another run by settings"

# two people are too few, and it is said before anything is trained
project two
record two a 1 1
record two b 5 1
code=0
"$tinamou" run two --leave-one-out >out 2>log || code=$?
[ $code = 4 ] || fail "two people: exit code $code"
grep -q 'of 2 people; one each is needed' log || fail "two people"
[ -z "$(ls -d two/runs/*/ 2>/dev/null)" ] || fail "two people have runs"

refuses() {
    code=0
    "$tinamou" run whole "$@" >out 2>log || code=$?
    [ $code = 2 ] || fail "$*: exit code $code"
}
refuses --leave-one-out --folds 3
refuses --leave-one-out --seeds 2
echo "folds: all good"
