#!/bin/sh
# test_cli_kill.sh TINAMOU FOLDER BOARD_LINE KILL_AT_CHANGE: `tinamou run` is killed (kill -9) at times that cover every stage, run
# again after each kill, and ends with the same bytes as a run that was left alone. Then the same with one kill per project, at eight
# times of the run; then with kills right before files are renamed or removed, which no clock meets for sure.
set -eu
tinamou=$1 folder=$2 kill_at_change=$4
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"

small_project "$folder/whole"
started=$(date +%s%N)
(cd "$folder/whole" && "$tinamou" run --quiet >/dev/null)
whole_ms=$((($(date +%s%N) - started) / 1000000))

# was_killed CODE: true for a process that was killed, false for one that was done; any other exit code fails the test.
was_killed() {
    case $1 in
    137) return 0 ;;
    0) return 1 ;;
    *)
        echo "a run after a kill failed with exit code $1: $(cat "$folder/killed.log")"
        exit 1
        ;;
    esac
}

# start_and_kill FOLDER MILLISECONDS: true when the kill hit a running process
start_and_kill() {
    (cd "$1" && exec "$tinamou" run --quiet >/dev/null 2>../killed.log) &
    pid=$!
    sleep "$(awk -v ms="$2" 'BEGIN {printf "%.3f", ms / 1000}')"
    kill -9 $pid 2>/dev/null || true
    code=0
    wait $pid 2>/dev/null || code=$?
    was_killed $code
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

# run_to_change FOLDER N: the process dies where it is about to rename or remove a file for the N-th time. False when it did not come to that.
run_to_change() {
    code=0
    (cd "$1" && LD_PRELOAD=$kill_at_change KILL_AT_CHANGE=$2 exec "$tinamou" run --quiet >/dev/null 2>../killed.log) || code=$?
    was_killed $code
}

# At each change of a short run, in a project of its own.
quick_project() {
    small_project "$1"
    sed -i 's/steps: 400,/steps: 6,/; s/evaluate_every: 50, checkpoint_every: 20/evaluate_every: 3, checkpoint_every: 3/; s/steps: 80/steps: 4/
/^compress:/,/method: share/d' "$1/tinamou.yaml"
}
quick_project "$folder/quick"
(cd "$folder/quick" && "$tinamou" run --quiet >/dev/null)
n=1
quick_project "$folder/one"
while run_to_change "$folder/one" $n; do
    (cd "$folder/one" && "$tinamou" run --quiet >/dev/null)
    same_results "$folder/quick" "$folder/one" || { echo "killed right before change $n of files"; exit 1; }
    rm -rf "$folder/one"
    quick_project "$folder/one"
    n=$((n + 1))
done
[ $n -gt 40 ] || { echo "a run changes only $((n - 1)) files"; exit 1; }
# A longer one again and again, each time one change later, so that stages with many files get done too.
changes=0
small_project "$folder/changes"
while run_to_change "$folder/changes" $((changes + 1)); do
    changes=$((changes + 1))
    [ $changes -lt 200 ] || { echo "no progress"; exit 1; }
done
same_results "$folder/whole" "$folder/changes"
[ $changes -gt 10 ] || { echo "only $changes kills before a change"; exit 1; }
echo "the same bytes after $kills kills, $((n - 1)) and $changes before a change of files, of a run of $whole_ms ms"
