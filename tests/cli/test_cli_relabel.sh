#!/bin/sh
# test_cli_relabel.sh TINAMOU FOLDER: from the mistakes of a model back to the dataset: the list that the report writes, given to data.relabel,
# changes these labels and no others.
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
p=$folder/p
small_project "$p"
sed -i "s/minutes: 0.8/minutes: 3/; /^compress:/d; /^  - {method:/d" "$p/tinamou.yaml"
list=$p/suspects.csv
exits 0 "relabel *$list" report "$p" --relabel "$list"
grep -q 'relabel: [0-9]* labels look wrong' "$folder/out" || fail "nothing is said: $(cat "$folder/out")"
[ "$(head -1 "$list")" = stream,start,end,label,suggested,role,subject,kind,confidence ] || fail "the head is $(head -1 "$list")"
rows=$(($(wc -l <"$list") - 1))
[ "$rows" -gt 0 ] || fail "the small model makes no mistake that it is sure of"
grep -q ',test,' "$list" && ! grep -q 'relabel: warning: labels of test people' "$folder/out" && fail "no warning"
cut -d, -f9 "$list" | sed 1d | sort -c -r -g || fail "not the surest first"
run=$(sed -n 's/^small, run //p' "$folder/out")
kept=$(sha256sum <"$list")
exits 0 "\"rows\": $rows" report "$p" --relabel "$list" --json
[ "$(sha256sum <"$list")" = "$kept" ] || fail "the list differs the second time"
grep -q '"mistakes":{"found"' "$p/runs/$run/report.html" || fail "the page has no mistakes"

# the list comes back: each row is a label that changed
sed -i 's/^data: {/data: {relabel: suspects.csv, /' "$p/tinamou.yaml"
exits 2 'a person wrote' report "$p" --relabel "$p/../p/suspects.csv"
[ "$(sha256sum <"$list")" = "$kept" ] || fail "the list was written over"
exits 0 "data.relabel (suspects.csv) changed $rows labels" data "$p"
exits 1 "^labels: *[1-9]" data diff "$p"
exits 1 '"settings"' data diff "$p" --json
"$tinamou" data diff "$p" --json >"$folder/diff.json" || true
sed 1d "$list" | while IFS=, read -r stream start end label suggested rest; do
    tr -d '\n ' <"$folder/diff.json" | sed 's/{"stream"/\n&/g' | grep "^{\"stream\":\"$stream\"" |
        grep -q "\"after\":\"$suggested$start\.\.$end\"" || {
        echo "$stream $start to $end is not $suggested now ($label, $rest): $(cat "$folder/diff.json")"
        exit 1
    }
done

# a model is needed

# what the page shows, for other programs
exits 0 "picture *$folder/f.png" report "$p" --png "$folder/f.png" --svg "$folder/f.svg" --csv "$folder/f.csv" --figures "$folder/f.json"
grep -q '^recording,person,role,what,' "$folder/f.csv" || fail "no table of events"
grep -q '"thresholds"' "$folder/f.json" || fail "no figures"
grep -q '<svg' "$folder/f.svg" && [ -s "$folder/f.png" ] || fail "no pictures"
exits 0 '"png"' report "$p" --png "$folder/f.png" --json
exits 6 'nowhere' report "$p" --svg "$folder/nowhere/f.svg"
exits 2 'has no option --png' evaluate "$p" --png "$folder/f.png"

exits 2 'has no option --relabel' evaluate "$p" --relabel "$list"
exits 2 'needs a value' report "$p" --relabel
exits 6 'nowhere' report "$p" --relabel "$folder/nowhere/list.csv"
