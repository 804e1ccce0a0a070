#!/bin/sh
# test_cli_tune.sh TINAMOU FOLDER: `tinamou tune` shows, chooses, is followed by deploy and report, is kept, is forgotten; wrong
# options; kill -9 in the middle of a choice.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
fail() {
    echo "$*"
    exit 1
}
# refuses CODE TEXT ARGUMENTS...
refuses() {
    code=$1 text=$2
    shift 2
    got=0
    "$tinamou" "$@" >"$folder/out" 2>"$folder/log" || got=$?
    [ $got = "$code" ] || fail "tinamou $*: exit code $got, not $code: $(cat "$folder/log")"
    grep -q -- "$text" "$folder/log" || fail "tinamou $*: no '$text' in: $(cat "$folder/log")"
}

project=$folder/p
small_project "$project"
refuses 2 "the preset is 'lazy'; use responsive, balanced or strict" tune "$project" --preset lazy
refuses 2 "use event_f1, iou_f1" tune "$project" --objective speed
refuses 2 'give a number from 0 on' tune "$project" --max-fnr -1
refuses 2 'give a share from 0 to 1' tune "$project" --max-fnr 5
refuses 2 'excludes bounds' tune "$project" --preset strict --max-fnr 0.1
refuses 2 'has no option --max-flash' tune "$project" --max-flash 1000
refuses 2 'has no option --against' tune "$project" --against x
refuses 2 'no project here' tune "$folder/none"
[ ! -d "$project/runs" ] || fail "a wrong option made a run"

# the stages before it are done first; then it shows and changes nothing
"$tinamou" run "$project" --quiet >/dev/null
run=$(echo "$project"/runs/*/report.html)
run=${run%/report.html}
results "$project" >"$folder/before"
"$tinamou" tune "$project" --quiet >"$folder/out"
grep -q '^\* balanced ' "$folder/out" || fail "no chosen preset in: $(cat "$folder/out")"
grep -q '^  never trigger  *0.00  *100.0 ' "$folder/out" || fail "no cost of saying nothing in: $(cat "$folder/out")"
grep -q 'Pareto front' "$folder/out" || fail "no front in: $(cat "$folder/out")"
grep -q 'read with 1 rule$' "$folder/out" || fail "no count of rules in: $(cat "$folder/out")"
results "$project" >"$folder/after"
diff "$folder/before" "$folder/after"

# a choice: from the kept scores, with any number of threads; deploy and report follow, the header names it
cp -r "$project" "$folder/q"
"$tinamou" tune "$project" --preset strict --threads 1 --json >"$folder/out" 2>"$folder/log"
grep -q '"preset": "strict"' "$folder/out" || fail "not chosen: $(cat "$folder/out")"
for key in asked chosen presets front front_size rules_compared test_rules test_reads left_out why fp_per_hour_exact_95; do
    grep -q "\"$key\": " "$folder/out" || fail "no $key in the JSON"
done
"$tinamou" tune "$folder/q" --preset strict --threads 3 --quiet >/dev/null
"$tinamou" run "$project" --quiet >/dev/null 2>"$folder/log"
"$tinamou" run "$folder/q" --quiet >/dev/null
same_results "$project" "$folder/q"
grep -q 'preset strict' "$run"/code/small.h || fail "the header does not name the preset"
"$tinamou" run "$project" 2>"$folder/log" >/dev/null
grep -q 'deploy: done before' "$folder/log" || fail "deploy is not done: $(cat "$folder/log")"

# it is kept when the evaluation is done again, and forgotten by force
rm "$run/timelines.json"
"$tinamou" run "$project" --quiet >/dev/null
same_results "$folder/q" "$project"
"$tinamou" evaluate "$project" --force --quiet >/dev/null
"$tinamou" tune "$project" --quiet >"$folder/out"
grep -q '^\* balanced ' "$folder/out" || fail "not forgotten: $(cat "$folder/out")"
"$tinamou" run "$project" --quiet >/dev/null
grep -q 'preset balanced' "$run"/code/small.h || fail "the header still names the other preset"

# bounds; those that cannot be held change nothing
"$tinamou" tune "$project" --max-fp-per-hour 20 --quiet >"$folder/out"
grep -q '^\* as asked ' "$folder/out" || fail "no own choice in: $(cat "$folder/out")"
grep -q 'at most 20 false alarms per hour, fewest missed' "$folder/out" || fail "no reason in: $(cat "$folder/out")"
results "$project" >"$folder/before"
refuses 2 'no decision rule holds these bounds' tune "$project" --max-fnr 0 --max-fp-per-hour 0 --max-latency-ms 0
results "$project" >"$folder/after"
diff "$folder/before" "$folder/after"

# killed at any time: the next run finishes the earlier choice or the new one, and both are whole
rm -rf "$folder/q"
small_project "$folder/old"
"$tinamou" run "$folder/old" --quiet >/dev/null
cp -r "$folder/old" "$folder/new"
started=$(date +%s%N)
"$tinamou" tune "$folder/new" --preset strict --quiet >/dev/null
whole_ms=$((($(date +%s%N) - started) / 1000000))
"$tinamou" run "$folder/new" --quiet >/dev/null
results "$folder/old" >"$folder/old.results"
results "$folder/new" >"$folder/new.results"
kills=0
for sixth in 1 2 3 4 5 6; do
    rm -rf "$folder/cut"
    cp -r "$folder/old" "$folder/cut"
    "$tinamou" tune "$folder/cut" --preset strict --quiet >/dev/null 2>&1 &
    pid=$!
    sleep "$(awk -v ms=$((whole_ms * sixth / 6)) 'BEGIN {printf "%.3f", ms / 1000}')"
    if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
    wait $pid 2>/dev/null || true
    "$tinamou" run "$folder/cut" --quiet >/dev/null
    results "$folder/cut" >"$folder/cut.results"
    cmp -s "$folder/cut.results" "$folder/old.results" || cmp -s "$folder/cut.results" "$folder/new.results" || {
        diff "$folder/cut.results" "$folder/new.results"
        fail "a kill after $((whole_ms * sixth / 6)) ms left neither the earlier choice nor the new one"
    }
done
[ $kills -gt 1 ] || fail "only $kills kills hit a choice"

# without an event class there is nothing to tune
small_project "$folder/states"
sed -i 's/^data:.*/data: {source: import, path: rec, classes: [{name: rest}, {name: wave}], validation: [b], test: [c], split: {allow_leak: true}, import: {id: "{subject}", files: [{path: "{subject}.csv", time_column: t, time_unit: s, channels: [{columns: [x], names: [x], unit: g}]}], labels: {column: label}}}/' "$folder/states/tinamou.yaml"
mkdir "$folder/states/rec"
for person in a b c d; do
    awk 'BEGIN {print "t,x,label"; for (i = 0; i < 3000; i++) print i / 50 "," (i % 200 < 100 ? 0 : sin(i)) "," (i % 200 < 100 ? "rest" : "wave")}' >"$folder/states/rec/$person.csv"
done
refuses 2 'no class of this project is an event' tune "$folder/states" --preset strict
