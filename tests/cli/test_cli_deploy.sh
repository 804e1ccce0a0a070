#!/bin/sh
# test_cli_deploy.sh TINAMOU FOLDER: what `deploy` is asked for besides its stage: packages.
set -eu
tinamou=$1 folder=$2
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
"$tinamou" deploy --help | grep -q 'piece of your recordings' || fail "the help does not say what a package holds"
echo "deploy: all good"
