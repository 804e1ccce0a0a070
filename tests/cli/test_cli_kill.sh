#!/bin/sh
# test_cli_kill.sh TINAMOU FOLDER BOARD_LINE KILL_AT_RENAME: `tinamou run` is killed (kill -9) at times that cover every stage, run
# again after each kill, and ends with the same bytes as a run that was left alone. Then the same with one kill per project, at eight
# times of the run; then with kills right before the renames that put results in their place, which no clock meets for sure.
set -eu
tinamou=$1 folder=$2 kill_at_rename=$4
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"

small_project "$folder/whole"
started=$(date +%s%N)
(cd "$folder/whole" && "$tinamou" run --quiet >/dev/null)
whole_ms=$((($(date +%s%N) - started) / 1000000))

# start_and_kill FOLDER MILLISECONDS: true when the kill hit a running process
start_and_kill() {
    (cd "$1" && exec "$tinamou" run --quiet >/dev/null 2>../killed.log) &
    pid=$!
    sleep "$(awk -v ms="$2" 'BEGIN {printf "%.3f", ms / 1000}')"
    kill -9 $pid 2>/dev/null || true
    code=0
    wait $pid 2>/dev/null || code=$?
    case $code in
    137) return 0 ;;
    0) return 1 ;;
    *)
        echo "a run after a kill failed with exit code $code: $(cat "$folder/killed.log")"
        exit 1
        ;;
    esac
}

# Many kills in one project, each a little later than the work that is left needs to start.
# A machine that was busy while the whole run was timed makes the waits too long: then begin anew with half of them.
small_project "$folder/often"
kills=0 rounds=0 span_ms=$whole_ms
while [ $rounds -lt 40 ]; do
    rounds=$((rounds + 1))
    wait_ms=$((span_ms * (1 + rounds * 7 % 13) / 26 + 5))
    if start_and_kill "$folder/often" $wait_ms; then
        kills=$((kills + 1))
    elif [ $kills -gt 2 ]; then
        break
    else
        kills=0 span_ms=$((span_ms / 2))
        rm -rf "$folder/often"
        small_project "$folder/often"
    fi
done
(cd "$folder/often" && "$tinamou" run --quiet >/dev/null)
same_results "$folder/whole" "$folder/often"
[ $kills -gt 2 ] || { echo "only $kills kills hit; the test must kill more often"; exit 1; }

# One kill in a project of its own, at eight times spread over the whole run.
for eighth in 1 2 3 4 5 6 7 8; do
    small_project "$folder/at$eighth"
    if start_and_kill "$folder/at$eighth" $((whole_ms * (2 * eighth - 1) / 16)); then kills=$((kills + 1)); fi
    (cd "$folder/at$eighth" && "$tinamou" run --quiet >/dev/null)
    same_results "$folder/whole" "$folder/at$eighth"
    rm -rf "$folder/at$eighth"
done

# run_to_rename FOLDER N: the process dies where it is about to rename a file for the N-th time. False when it did not come to that.
run_to_rename() {
    code=0
    (cd "$1" && LD_PRELOAD=$kill_at_rename KILL_AT_RENAME=$2 exec "$tinamou" run --quiet >/dev/null 2>../killed.log) || code=$?
    case $code in
    137) return 0 ;;
    0) return 1 ;;
    *)
        echo "a run after a kill failed with exit code $code: $(cat "$folder/killed.log")"
        exit 1
        ;;
    esac
}

# Each of the first renames, in a project of its own: the split, the dataset and the first results.
renames=0
for n in 1 2 3 4 5 6 7 8; do
    small_project "$folder/rename$n"
    run_to_rename "$folder/rename$n" $n || { echo "there was no rename $n"; exit 1; }
    (cd "$folder/rename$n" && "$tinamou" run --quiet >/dev/null)
    same_results "$folder/whole" "$folder/rename$n"
    rm -rf "$folder/rename$n"
done
# One project again and again, each time one rename later, so that stages with many files get done too.
small_project "$folder/renames"
while run_to_rename "$folder/renames" $((renames + 1)); do
    renames=$((renames + 1))
    [ $renames -lt 200 ] || { echo "no progress"; exit 1; }
done
same_results "$folder/whole" "$folder/renames"
[ $renames -gt 10 ] || { echo "only $renames kills before a rename"; exit 1; }
echo "the same bytes after $kills kills and $renames before a rename, of a run of $whole_ms ms"
