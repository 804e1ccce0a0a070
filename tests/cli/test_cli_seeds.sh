#!/bin/sh
# test_cli_seeds.sh TINAMOU FOLDER: run --seeds makes the runs that --seed makes one by one, whatever the number of processes,
# and prints mean and spread.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
fail() {
    echo "$*"
    exit 1
}
for name in together alone; do
    small_project "$folder/$name"
    sed -i 's/steps: 400/steps: 100/; s/subjects: 5/subjects: 6/' "$folder/$name/tinamou.yaml"
done
"$tinamou" run "$folder/together" --seeds 4,2,9 --threads 2 >"$folder/table" 2>"$folder/log" || fail "$(cat "$folder/log")"
for seed in 4 2 9; do
    "$tinamou" run "$folder/alone" --seed $seed --quiet --json >"$folder/alone.$seed"
done
rm -rf "$folder"/*/data/.lock
same_results "$folder/together" "$folder/alone"
grep -q '^seed  *4  *2  *9  *mean  *spread$' "$folder/table" || fail "table: $(cat "$folder/table")"
grep -q 'done, 3 of 3' "$folder/log" || fail "log: $(cat "$folder/log")"

# mean and sample standard deviation, by hand
"$tinamou" run "$folder/together" --seeds 4,2,9 --json --quiet >"$folder/json" 2>"$folder/log"
[ ! -s "$folder/log" ] || fail "quiet printed: $(cat "$folder/log")"
for seed in 4 2 9; do
    sed -n 's/^ *"frame_accuracy": \([0-9.]*\),*$/\1/p' "$folder/alone.$seed"
done | awk '{s += $1; v[NR] = $1} END {m = s / NR; for (i = 1; i <= NR; i++) q += (v[i] - m) ^ 2; printf "%.6f %.6f\n", m, sqrt(q / (NR - 1))}' >"$folder/expected"
tr -d ' \n' <"$folder/json" |
    sed -n 's/.*"summary":.*"frame_accuracy":{"mean":\([0-9.]*\),"n":3,"spread":\([0-9.e-]*\)}.*/\1 \2/p; s/.*"summary":.*"frame_accuracy":{"mean":\([0-9.]*\),"spread":\([0-9.e-]*\),"n":3}.*/\1 \2/p' |
    awk '{printf "%.6f %.6f\n", $1, $2}' >"$folder/got"
[ -s "$folder/got" ] || fail "no summary of frame_accuracy in the JSON: $(tail -60 "$folder/json")"
# keys of another order or of float figures must not slip in
diff "$folder/expected" "$folder/got"

# a number alone says how many; a list must be one
refuses() {
    code=0
    "$tinamou" run "$folder/together" "$@" >/dev/null 2>"$folder/log" || code=$?
    [ $code = 2 ] || fail "$*: exit code $code: $(cat "$folder/log")"
}
refuses --seeds 0
refuses --seeds 1,1
refuses --seeds 1,x
refuses --seeds 1, 
refuses --seeds 65
refuses --seeds 1,2 --seed 3
refuses --folds 2
refuses --folds 3 --seeds 3

# a run per fold: everybody is tested once, and each run is the one that the settings make
small_project "$folder/folds"
sed -i 's/steps: 400/steps: 100/; s/subjects: 5/subjects: 6/; /^compress/,/share/d' "$folder/folds/tinamou.yaml"
"$tinamou" run "$folder/folds" --folds 3 >"$folder/table" 2>"$folder/log" || fail "$(cat "$folder/log")"
grep -q '^fold  *1  *2  *3  *mean  *spread$' "$folder/table" || fail "table: $(cat "$folder/table")"
grep -q 'fold 3 (p03, p06): done' "$folder/log" || fail "log: $(cat "$folder/log")"
[ "$(ls -d "$folder"/folds/runs/*/ | wc -l)" = 3 ] || fail "runs: $(ls "$folder/folds/runs")"
grep -q '"p04": 1' "$folder/folds/data/split-subject-3.json" || fail "split: $(cat "$folder/folds/data/split-subject-3.json")"
sed -i 's/subjects: 6.*/subjects: 6, minutes: 0.8}, split: {folds: 3, fold: 2}}/' "$folder/folds/tinamou.yaml"
"$tinamou" run "$folder/folds" >"$folder/table" 2>"$folder/log" || fail "$(cat "$folder/log")"
grep -q 'report: done before' "$folder/log" || fail "log: $(cat "$folder/log")"
grep -q '2 + 2 + 2 people' "$folder/log" || fail "log: $(cat "$folder/log")"

# a seed that fails says which one it was, and nothing is left running
sed -i 's/learning_rate.*//; s/^train: {/train: {learning_rate: 10, clip: 0, optimiser: sgd, momentum: 0.99, /' "$folder/together/tinamou.yaml"
code=0
"$tinamou" run "$folder/together" --seeds 2 --quiet >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 9 ] || [ $code = 10 ] || fail "divergence: exit code $code: $(cat "$folder/log")" # no valid model, or no number
grep -q 'error: seed [12]: ' "$folder/log" || fail "divergence: $(cat "$folder/log")"
echo "seeds: all good"
