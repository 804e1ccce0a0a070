#!/bin/sh
# test_cli_deploy.sh TINAMOU FOLDER BOARD_LINE: what `deploy` is asked for besides its stage: packages, a board on a serial line.
set -eu
tinamou=$1 folder=$2 board_line=$3
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
project=$folder/p
small_project "$project"
fail() {
    echo "$1"
    exit 1
}

# in one go with the stages; nothing is written outside the run, and the self-test passes on this computer
"$tinamou" deploy "$project" --package all --quiet >"$folder/out"
run=$(echo "$project"/runs/?*/)
for format in cmake arduino zephyr platformio espidf; do
    [ -f "$run/package/$format/small/src/small_selftest.c" ] || fail "no package $format in $(find "$run")"
    grep -q "package/$format/small\$" "$folder/out" || fail "package $format is not named: $(cat "$folder/out")"
done
package=$run/package/cmake/small
cc -I "$package/src" -o "$folder/selftest" "$package"/src/small.c "$package"/src/small_selftest.c "$package"/examples/small/main.c
"$folder/selftest" >"$folder/out" || fail "the self-test: $(cat "$folder/out")"
grep -q '^small: PASS' "$folder/out" || fail "the self-test: $(cat "$folder/out")"

# again, elsewhere, with --json: the same bytes, and the stage is not done again
"$tinamou" deploy "$project" --package cmake,espidf --output "$folder/elsewhere" --json >"$folder/out" 2>"$folder/log"
grep -q 'deploy: done before' "$folder/log" || fail "the stage was done again: $(cat "$folder/log")"
grep -q '"folders"' "$folder/out" || fail "no folders: $(cat "$folder/out")"
[ "$(ls "$folder/elsewhere")" = "$(printf 'cmake\nespidf')" ] || fail "$(find "$folder/elsewhere")"
diff -r "$package" "$folder/elsewhere/cmake/small"
"$tinamou" deploy "$project" --package cmake --output "$folder/elsewhere" --frames 50 --quiet >"$folder/out"
grep -q 'SMALL_RECORDED 50 ' "$folder/elsewhere/cmake/small/src/small_selftest.h" || fail "--frames is not heeded"

# a file of the user's keeps its folder from being replaced; a folder that cannot be made
echo mine >"$folder/elsewhere/cmake/small/notes.txt"
code=0
"$tinamou" deploy "$project" --package cmake --output "$folder/elsewhere" --quiet >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 6 ] && grep -q 'small/notes.txt.*move it away' "$folder/log" || fail "notes: exit code $code: $(cat "$folder/log")"
[ -f "$folder/elsewhere/cmake/small/notes.txt" ] || fail "the user's file is gone"
code=0
"$tinamou" deploy "$project" --package cmake --output "$project/tinamou.yaml" --quiet >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 6 ] && grep -q 'tinamou.yaml' "$folder/log" || fail "output is a file: exit code $code: $(cat "$folder/log")"

[ -e /dev/pts/ptmx ] || { echo "skipped behind the packages: this system has no pseudo terminals; mount /dev/pts"; exit 77; }

# a board on a serial line: table, JSON, a difference, Ctrl-C
board() {
    cc -D_POSIX_C_SOURCE=200809L -I "$package/src" -o "$folder/board" "$package"/src/small.c "$package"/src/small_serial.c \
        "$package"/examples/small_verify/main.c
    rm -f "$folder/line"
    "$board_line" "$folder/line" "$1" &
    line=$!
    for i in 1 2 3 4 5 6 7 8 9; do [ -e "$folder/line" ] || sleep 0.2; done
}
board "$folder/board"
"$tinamou" deploy "$project" --verify "$folder/line" --frames 500 >"$folder/out" 2>"$folder/log"
grep -q '^  board       500 frames, 250 decisions, 0 differ' "$folder/out" || fail "no board in the table: $(cat "$folder/out")"
grep -q 'us in the worst frame, by the board' "$folder/out" || fail "no times: $(cat "$folder/out")"
grep -q 'bit for bit' "$folder/log" || fail "nothing is said of the board: $(cat "$folder/log")"
"$tinamou" deploy "$project" --verify "$folder/line" --frames 0 --json --quiet >"$folder/out" 2>"$folder/log"
[ ! -s "$folder/log" ] || fail "quiet printed: $(cat "$folder/log")"
grep -q '"mismatches": 0' "$folder/out" && grep -q '"step_mean_s": [0-9]' "$folder/out" || fail "$(cat "$folder/out")"
kill $line
wait $line || true
sed 's/    return 1;/    out->score[0] ^= 1;\n    return 1;/' "$package/src/small.c" >"$folder/small.c"
cp "$folder/small.c" "$package/src/small.c"
board "$folder/board"
code=0
"$tinamou" deploy "$project" --verify "$folder/line" --quiet >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 11 ] && grep -q 'score 0 is' "$folder/log" || fail "a difference: exit code $code: $(cat "$folder/log")"
kill $line
wait $line || true
printf '#!/bin/sh\nexec sleep 60\n' >"$folder/silent"
chmod +x "$folder/silent"
board "$folder/silent"
code=0
env --default-signal=INT timeout --foreground --signal=INT --preserve-status 1 "$tinamou" deploy "$project" --verify "$folder/line" --quiet \
    >"$folder/out" 2>"$folder/log" || code=$?
[ $code = 130 ] && grep -q '^tinamou: stopped' "$folder/log" || fail "Ctrl-C: exit code $code: $(cat "$folder/log")"
kill $line

# serial lines that cannot be (tests/deploy/test_verify.c has those that can)
wrong_line() {
    code=0 wanted=$1 text=$2
    shift 2
    "$tinamou" deploy "$project" --quiet "$@" >"$folder/out" 2>"$folder/log" || code=$?
    [ $code = "$wanted" ] && grep -q -- "$text" "$folder/log" || fail "deploy $*: exit code $code: $(cat "$folder/log")"
}
wrong_line 6 'no such serial line' --verify "$folder/absent"
wrong_line 6 'is no serial line' --verify /dev/null
wrong_line 2 '--baud is 1234' --verify /dev/null --baud 1234
"$tinamou" deploy --help | grep -q 'piece of your recordings' || fail "the help does not say what a package holds"
echo "deploy: all good"
