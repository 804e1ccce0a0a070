#!/bin/sh
# test_cli_stages.sh TINAMOU FOLDER: stage by stage, skipping, --force, --json, runs, --seed, interruption, a changed file.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
fail() {
    echo "$*"
    exit 1
}
# logs TEXT ARGUMENTS...: the command succeeds and its log holds TEXT
logs() {
    text=$1
    shift
    "$tinamou" "$@" >"$folder/out" 2>"$folder/log" || fail "tinamou $*: $(cat "$folder/log")"
    grep -q -- "$text" "$folder/log" || fail "tinamou $*: no '$text' in: $(cat "$folder/log")"
}
lacks() {
    if grep -q -- "$1" "$folder/log"; then fail "'$1' in: $(cat "$folder/log")"; fi
}

project=$folder/p
small_project "$project"
logs 'people' data "$project"
logs 'data: done before' train "$project"
lacks 'train: done before'
logs 'train: done before' compress "$project"
lacks 'compress: done before'
for step in trained 'prune 0.8' 'sparse 0.6' 'share 16'; do
    grep -q "^  $step  " "$folder/out" || fail "no '$step' in the table: $(cat "$folder/out")"
done
logs 'compress: done before' quantize "$project"
logs 'quantize: done before' evaluate "$project"
logs 'evaluate: done before' deploy "$project"
logs 'deploy: done before' report "$project"
logs 'report: done before' run "$project"
run=$(echo "$project"/runs/*/report.html)
run=${run%/report.html}
[ -f "$run/report.html" ] || fail "no report in $run"
grep -q '^  events missed (FNR)  .*\(always\|clock\)' "$folder/out" || fail "no trivial detector beside the model: $(cat "$folder/out")"
grep -q 'without an event: fewer than [0-9.]* an hour (95 % sure)' "$folder/out" || fail "no words about false positives"
grep -q '^  verified' "$folder/out" || fail "no verification in the table"
grep -q 'instructions: [0-9]* per decision; [0-9]* per frame on average, [0-9]* in the worst frame' "$folder/out" || fail "no instructions in the table"

# the places of the files are as seen from where the command was given
(cd "$project" && "$tinamou" run --quiet >"$folder/out" && sed -n 's/^  \(code\|header\|report\|dataset\) *//p' "$folder/out" >"$folder/places")
[ "$(wc -l <"$folder/places")" = 4 ] || fail "places: $(cat "$folder/places")"
(cd "$project" && while read -r place; do [ -f "$place" ] || fail "no file $place"; done <"$folder/places")

# nothing on stderr when quiet, one JSON object on stdout
"$tinamou" run "$project" --json --quiet >"$folder/out" 2>"$folder/log"
[ ! -s "$folder/log" ] || fail "quiet printed: $(cat "$folder/log")"
grep -q '"mismatches": 0' "$folder/out" || fail "no mismatches in the JSON"
[ "$(head -c1 "$folder/out")" = '{' ] || fail "no JSON object"

# --force redoes the stage and what follows, and gives the same bytes
results "$project" >"$folder/before"
logs 'data: done before' evaluate "$project" --force
lacks 'evaluate: done before'
logs 'evaluate: done before' run "$project"
lacks 'deploy: done before'
logs 'people' run "$project" --force
lacks 'done before'
results "$project" >"$folder/after"
diff "$folder/before" "$folder/after"

# a changed result is noticed and made again
echo damage >>"$run/model_int8.safetensors"
logs 'train: done before' run "$project"
lacks 'quantize: done before'
results "$project" >"$folder/after"
diff "$folder/before" "$folder/after"
dataset=$(echo "$project"/data/*.tind)
printf 'damage' | dd of="$dataset" bs=1 seek=3000 conv=notrunc 2>/dev/null
logs 'made again' run "$project"
results "$project" >"$folder/after"
diff "$folder/before" "$folder/after"

# a curve that was damaged under a finished training is written again
echo damage >"$run/train_curve.csv"
logs 'data: done before' run "$project"
results "$project" >"$folder/after"
diff "$folder/before" "$folder/after"
# what a killed process left beside the datasets goes, when nobody is writing there
touch "$project/data/0123456789ab.tind.Ab3dE6" "$project/data/split-subject-5.json.Ab3dE6"
(flock -s 9; "$tinamou" data "$project" --quiet >/dev/null) 9>>"$project/data/.lock"
[ -f "$project/data/0123456789ab.tind.Ab3dE6" ] && [ -f "$project/data/split-subject-5.json.Ab3dE6" ] ||
    fail "a half-written dataset or split of a living process was removed"
"$tinamou" data "$project" --quiet >/dev/null
[ ! -e "$project/data/0123456789ab.tind.Ab3dE6" ] && [ ! -e "$project/data/split-subject-5.json.Ab3dE6" ] ||
    fail "a half-written dataset or split was left"

# a budget is no part of the run's name: the run that is done is held against it
sed 's/verify_frames: 1500/&, max_flash_bytes: 1000, max_ram_bytes: 100000/' "$project/tinamou.yaml" >"$folder/yaml"
cp "$project/tinamou.yaml" "$folder/yaml.before"
cp "$folder/yaml" "$project/tinamou.yaml"
code=0
"$tinamou" run "$project" >"$folder/out" 2>"$folder/log" || code=$?
[ $code != 0 ] || fail "a budget of 1000 bytes was met"
grep -q 'deploy: done before' "$folder/log" || fail "the budget made a new run: $(cat "$folder/log")"
grep -q 'bytes of flash (instructions and tables [0-9]*, weights [0-9]*), but deploy.max_flash_bytes allows 1000;' "$folder/log" ||
    fail "no figures in: $(cat "$folder/log")"
cp "$folder/yaml.before" "$project/tinamou.yaml"

# another seed is another run; the list shows both
logs 'run: ' train "$project" --seed 6
"$tinamou" runs "$project" >"$folder/out"
[ "$(wc -l <"$folder/out")" = 3 ] || fail "runs: $(cat "$folder/out")"
"$tinamou" runs "$project" --json | grep -q '"seed": "6"' || fail "no seed 6 in the JSON of runs"

# another schedule is another run, whose decisions come later: code, evaluation and check on the core agree by how much
small_project "$folder/level"
code=0
"$tinamou" deploy "$folder/level" --schedule soon >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 2 ] && grep -q "schedule is 'soon'; give one of: earliest spread" "$folder/log" || fail "schedule soon: $code $(cat "$folder/log")"
code=0
"$tinamou" deploy "$folder/level" --optimize most >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 2 ] && grep -q "optimize is 'most'; give one of: balanced speed size" "$folder/log" || fail "optimize most: $code $(cat "$folder/log")"
logs ' 0 differ from the reference' deploy "$folder/level" --schedule spread
late=$(sed -n 's/^#define SMALL_LATENCY \([0-9]*\) .*/\1/p' "$folder"/level/runs/*/code/small.h)
[ -n "$late" ] || fail "the header says nothing of the schedule"
grep -q '"latency": '"$late"',' "$folder"/level/runs/*/metrics.json || fail "the evaluation does not count the schedule"

# bits chosen by measurement: a table, a file, the same bytes again; codebooks need all weights at 8 bits
small_project "$folder/auto"
sed '/method: share/d; s/^quantize:.*/quantize: {steps: 20, weight_bits: auto, activation_bits: auto, input_bits: auto, max_weight_bytes: 400}/' \
    "$project/tinamou.yaml" >"$folder/auto/tinamou.yaml"
logs 'sensitivity, over' quantize "$folder/auto"
grep -q '4-bit weights .* taken' "$folder/log" || fail "no layer got 4 bits: $(cat "$folder/log")"
grep -q '"weight_bytes": [1-4]' "$folder"/auto/runs/*/quantize_sensitivity.json || fail "the weights do not fit"
results "$folder/auto" >"$folder/before"
logs 'sensitivity, over' quantize "$folder/auto" --force --threads 1
results "$folder/auto" >"$folder/after"
diff "$folder/before" "$folder/after"

# Ctrl-C: exit code 130 and the sentence how to go on. env: a shell's background job ignores SIGINT otherwise.
small_project "$folder/stopped"
for wait in 0.3 0.6 0.9; do
    code=0
    env --default-signal=INT timeout --foreground --signal=INT --preserve-status "$wait" "$tinamou" run "$folder/stopped" --quiet >"$folder/out" \
        2>"$folder/log" || code=$?
    [ $code = 0 ] || [ $code = 130 ] || fail "interrupted: exit code $code: $(cat "$folder/log")"
    [ $code = 0 ] || grep -q 'run the same command again' "$folder/log" || fail "interrupted: $(cat "$folder/log")"
done
"$tinamou" run "$folder/stopped" --quiet >/dev/null
# an identical project elsewhere: the names of the files and their bytes agree, apart from the seed 6 run
rm -rf "$project/runs/$("$tinamou" runs "$project" | awk '$4 == 6 {print $1}')" "$project"/data/*
mv "$project/data" "$folder/unused"
rm -rf "$folder/stopped/data"
mkdir "$project/data" "$folder/stopped/data"
same_results "$project" "$folder/stopped"
echo "stages: all good"
