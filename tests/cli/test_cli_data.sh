#!/bin/sh
# test_cli_data.sh TINAMOU FOLDER: the actions of the data stage.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
fail() {
    echo "$*"
    exit 1
}
# exits CODE TEXT ARGUMENTS...: the command ends with CODE, and TEXT is in what it printed
exits() {
    code=$1 text=$2
    shift 2
    got=0
    "$tinamou" "$@" >"$folder/out" 2>&1 || got=$?
    [ "$got" = "$code" ] || fail "tinamou $*: exit code $got instead of $code: $(cat "$folder/out")"
    grep -q -- "$text" "$folder/out" || fail "tinamou $*: no '$text' in: $(cat "$folder/out")"
}

# two versions of one project: one more person
small_project "$folder/p"
exits 0 'small' data "$folder/p" --quiet
old=$(basename "$folder"/p/data/*.tind .tind)
cp "$folder/p/data/$old.tind" "$folder/old.tind"
sed -i 's/subjects: 5/subjects: 6/' "$folder/p/tinamou.yaml"
exits 0 'small' data "$folder/p" --quiet
new=$(cd "$folder/p/data" && ls ./*.tind | grep -v "$old")
new=$(basename "$new" .tind)

# files, names of the project, and both; the folder stands behind them
exits 0 'equal: ' data diff "$folder/old.tind" "$folder/old.tind"
exits 0 'equal: ' data diff "$folder/old.tind" "$old" "$folder/p"
exits 1 ' added, ' data diff "$old" "$new" "$folder/p"
exits 1 ' removed, ' data diff "$new" "$old" "$folder/p"
exits 1 '"equal": false' data diff --json "$folder/p/data/$old.tind" "$folder/p/data/$new.tind"
exits 1 'setting data.simulate.subjects: 5 -> 6' data diff "$folder/p"
exits 1 ' added, ' data diff "$folder/p"
exits 2 'no project here' data diff "$folder"
exits 0 '"reason": "data.simulate.subjects: 5 -> 6"' data "$folder/p" --quiet --json
exits 0 '"reason": "the first"' data "$folder/p" --quiet --json
exits 0 '"counts_sha256"' data "$folder/p" --quiet --json
exits 2 'one folder at a time' data diff "$old" "$new" "$folder/p" more
exits 2 'neither a file' data diff "$old" nothing "$folder/p"
exits 5 'no Tinamou dataset' data diff "$old" "$folder/p/tinamou.yaml" "$folder/p"

# what training sees
exits 0 "$folder/p/data/preview.html" data preview "$folder/p" --quiet
grep -q '<h2>all together</h2>' "$folder/p/data/preview.html" || fail "no page"
exits 0 '"rotate"' data preview "$folder/p" --quiet --json

# what is in the dataset and what may be wrong with it: events are rare here, which is a warning, and nothing is a fault
exits 0 'double_flick' data stats "$folder/p" --quiet
exits 0 '"seconds"' data stats "$folder/p" --quiet --json
exits 2 "no recording 'nobody'" data stats "$folder/p" --quiet --stream nobody
exits 0 'Rare classes' data check "$folder/p" --quiet
exits 1 'Rare classes' data check "$folder/p" --quiet --strict
exits 0 '"run": null' data check "$folder/p" --quiet --json
exits 2 "no run or tag 'nothing'" data check "$folder/p" --quiet --run nothing
exits 0 'model_hash' quantize "$folder/p" --quiet --json
run=$(sed -n 's/^ *"id": "\([0-9a-f]*\)".*/\1/p' "$folder/out")
exits 0 "\"run\": \"$run\"" data check "$folder/p" --quiet --json --run "$run"
[ "$(head -1 "$folder/p/data/relabel.csv")" = stream,start,end,label,suggested ] || fail "no relabel.csv"
# the way back: what a copy of the list suggests is in the next dataset, and its content decides, not its name
rows=$(($(wc -l <"$folder/p/data/relabel.csv") - 1))
[ "$rows" -gt 0 ] || fail "the model of the small project contradicts no label"
cp "$folder/p/tinamou.yaml" "$folder/kept.yaml"
cp "$folder/p/data/relabel.csv" "$folder/p/mended.csv"
sed -i 's/^data: {/data: {relabel: data\/relabel.csv, /' "$folder/p/tinamou.yaml"
exits 3 'writes this file anew' data "$folder/p"
sed -i 's/data\/relabel.csv/mended.csv/' "$folder/p/tinamou.yaml"
exits 0 "data.relabel (mended.csv) changed $rows labels" data "$folder/p"
exits 1 "^labels: *$rows changed" data diff "$folder/p"
exits 0 'done before' data "$folder/p"
exits 0 'faults' data check "$folder/p" --quiet
exits 0 'done before' data "$folder/p"
mv "$folder/p/mended.csv" "$folder/p/again.csv"
exits 6 'mended.csv' data "$folder/p"
sed -i 's/mended.csv/again.csv/' "$folder/p/tinamou.yaml"
exits 0 'done before' data "$folder/p"
echo 'nobody,0.000,1.000,,circle' >>"$folder/p/again.csv"
exits 4 "again.csv:$((rows + 2)): error: there is no recording 'nobody'" data "$folder/p"
rm "$folder/p/again.csv"
cp "$folder/kept.yaml" "$folder/p/tinamou.yaml"
for page in check stats; do
    grep -q "default-src 'none'" "$folder/p/data/$page.html" || fail "$page.html may use the network"
done

# a public data set: what cannot be reached leaves nothing behind; tests/data/test_fetch.c does the rest
exits 2 'needs NAME' data fetch
exits 2 'give one of: hapt spsw' data fetch nothing "$folder/sets"
exits 6 'licence: ' data fetch hapt "$folder/sets" --url http://127.0.0.1:1/hapt.zip
[ -z "$(ls "$folder/sets")" ] || fail "data fetch left: $(ls "$folder/sets")"
mkdir "$folder/sets/hapt"
exits 0 '"was_there": true' data fetch hapt "$folder/sets" --json
exits 0 'FOLDER is where the folder NAME is made' data fetch --help
# who is in which fold stays, whoever comes; an edited file makes another dataset, and that one stays, too
split=$folder/p/data/split-subject-5.json
grep -q '"p06": 1' "$split" || fail "no p06 in $split: $(cat "$split")"
exits 0 'done before' data "$folder/p"
sed -i 's/"p06": 1/"p06": 5/' "$split"
exits 0 '3 + 1 + 2 people' data "$folder/p"
exits 0 'done before' data "$folder/p"
exits 1 'p06 role: train -> test' data diff "$new" "$(basename "$(ls -t "$folder"/p/data/*.tind | head -1)" .tind)" "$folder/p"
sed -i 's/"p06": 5/"p06": 9/' "$split"
exits 3 'the fold of .p06. is 9' data "$folder/p"
rm "$split"
exits 0 '4 + 1 + 1 people' data "$folder/p"

# help by two words; a folder called like an action is reached by its path
exits 0 'tinamou data diff \[OLD NEW\] \[FOLDER\]' help data diff
exits 0 'tinamou data diff \[OLD NEW\] \[FOLDER\]' data diff --help
exits 0 'tinamou data \[FOLDER\]' help data
exits 0 'data diff    what differs' help
mv "$folder/p" "$folder/diff"
(cd "$folder" && exits 0 'small' data ./diff --quiet)
