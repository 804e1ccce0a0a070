#!/bin/sh
# test_cli_errors.sh TINAMOU FOLDER: wrong use and wrong input end with the right exit code and a message that helps.
set -eu
tinamou=$1 folder=$2
. "$(dirname "$0")/small_project.sh"
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

# refuses CODE TEXT ARGUMENTS...
refuses() {
    code=0 wanted=$1 text=$2
    shift 2
    "$tinamou" "$@" >out 2>err || code=$?
    [ $code = "$wanted" ] || { echo "tinamou $*: exit code $code, wanted $wanted: $(cat err)"; exit 1; }
    grep -q -- "$text" err || { echo "tinamou $*: no '$text' in: $(cat err)"; exit 1; }
    [ ! -s out ] || { echo "tinamou $*: printed results: $(cat out)"; exit 1; }
    [ $# = 0 ] || tail -n 1 err | grep -q '^tinamou: ' || { echo "tinamou $*: the error is not one line: $(cat err)"; exit 1; }
}

# the command line
refuses 2 'tinamou COMMAND'
refuses 2 "no command 'fly'" fly
refuses 2 'no option --fast' run --fast
refuses 2 'no option --force' runs --force
refuses 2 'no option --force;' runs folder --force
refuses 2 'no option --stream;' data preview folder --stream x
refuses 2 'no option -z;' runs folder -z
refuses 2 'no option --quiet=3;' run folder --quiet=3
refuses 2 "seed is '-1'" run --seed -1
refuses 2 "threads is 'x'" run --threads x
refuses 2 "threads is '257'; give a whole number from 0 to 256" run --threads 257
refuses 2 'needs a value' run --seed
refuses 2 'one folder at a time' run a b
refuses 2 'which folder' init
refuses 2 'tinamou init nowhere' run nowhere
refuses 2 "source is 'moon'" init p --source moon
refuses 2 "'fly' is no format of packages" deploy --package cmake,fly
refuses 2 '--output belongs to --package' deploy --output x
refuses 2 '--frames belongs to --package or --verify' deploy --frames 3
refuses 2 '--baud belongs to --verify' deploy --baud 9600
refuses 2 '--output is empty' deploy --package all --output ''
refuses 2 'no option --package' run --package cmake
for command in init run data train compress quantize evaluate deploy report runs check; do
    "$tinamou" $command --help >out
    grep -q "^tinamou $command " out && grep -q '^Examples:' out || { echo "help of $command"; exit 1; }
done
"$tinamou" help >out && grep -q 'quantize' out
"$tinamou" --version | grep -q '^tinamou [0-9]'

# projects
"$tinamou" init --quiet p
refuses 2 'exists already' init p
refuses 2 'data.source is simulate' run p --data .
sed -i 's/^project:.*/projekt: p/' p/tinamou.yaml
refuses 3 "p/tinamou.yaml:.*did you mean 'project'" data p
mkdir empty
refuses 4 'no \*.csv' init q --data empty
refuses 6 'nowhere' init q --data nowhere
[ ! -e q ] || { echo "a failed init left a folder"; exit 1; }

refuses 2 'folder is empty' run ''
refuses 2 'not valid UTF-8' init "$(printf 'n\377')"
small_project word
sed -i 's/^project:.*/project: int/' word/tinamou.yaml
refuses 3 'word/tinamou.yaml: error: deploy.name.*"int_model"' run word
[ ! -e word/data ] || { echo "a name that cannot be was noticed late"; exit 1; }
small_project plain
sed -i '/^compress:/,/share/d' plain/tinamou.yaml
refuses 3 'there is no section compress; add' compress plain
long=$(printf 'x%.0s' $(seq 200))
"$tinamou" init --quiet "$long"
"$tinamou" runs "$long" >/dev/null

# recordings: each broken file is named with its line, and the mend is told
mkdir recordings
write_good() {
    for person in a b c d e; do
        awk -v k=$(printf %d "'$person") 'BEGIN {print "time,ax,ay,az,label"; for (i = 0; i < 400; i++)
            printf "%.2f,%.3f,%.3f,9.81,%s\n", i / 50, sin(i / (5 + k % 5)), cos(i / (9 + k % 5)), i % 100 < 30 ? "WAVE" : "REST"}' >recordings/${person}_1.csv
    done
}
write_good
"$tinamou" init --quiet c --data recordings
grep -q 'columns: \["ax", "ay", "az"\]' c/tinamou.yaml
"$tinamou" data c >/dev/null 2>log || { cat log; exit 1; }
# a folder's name is no pattern, and a project that shares the folder with its recordings makes its dataset once
mkdir 'odd [x]*'
cp recordings/* 'odd [x]*'
"$tinamou" init --quiet 'odd [x]*' --data 'odd [x]*'
"$tinamou" data 'odd [x]*' >/dev/null 2>log
"$tinamou" data 'odd [x]*' >/dev/null 2>log
grep -q 'data: done before' log || { echo "made again: $(cat log)"; exit 1; }
broken() { # broken CODE TEXT SED-COMMAND
    write_good
    sed -i "$3" recordings/b_1.csv
    refuses "$1" "$2" data c
    grep -q 'b_1.csv' err || { echo "the file is not named: $(cat err)"; exit 1; }
}
broken 4 ':7:.*oops' '7s/,[^,]*,/,oops,/'
broken 4 ':7:.*nan' '7s/,[^,]*,/,nan,/'
broken 4 ':9' '9s/^[^,]*/0.001/'
broken 4 'ay' '1s/ay/zz/'
broken 4 ':5' '5s/,.*//'
refuses 4 'no such folder' data c --data p/tinamou.yaml

# a full disk, as the limit of a file's size: an error that names the file, nothing half-written, and the next run goes on
small_project full
(ulimit -f 40; exec "$tinamou" run full --quiet >out 2>err) && { echo "a full disk went unnoticed"; exit 1; } || code=$?
[ $code = 6 ] || { echo "full disk: exit code $code: $(cat err)"; exit 1; }
grep -q 'full/' err || { echo "full disk: $(cat err)"; exit 1; }
[ -z "$(find full/data -name '*.tind*' 2>/dev/null)" ] || { echo "a full disk left: $(find full/data)"; exit 1; }
# the same at limits that hit the store, the results of a stage and the report
for limit in 1 60 200 500; do
    code=0
    (ulimit -f $limit; exec "$tinamou" run full --quiet >out 2>err) || code=$?
    [ $code = 6 ] || { echo "full disk at $limit: exit code $code: $(cat err)"; exit 1; }
    grep -q 'full/.*free' err || { echo "full disk at $limit: $(cat err)"; exit 1; }
    [ -z "$(find full -name '*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]' ! -name '*.sqlite')" ] ||
        { echo "a full disk left: $(find full)"; exit 1; }
    [ $limit != 60 ] || "$tinamou" data full --quiet >/dev/null
done
"$tinamou" run full --quiet >/dev/null
code=0
"$tinamou" data full --quiet --json >/dev/full 2>err || code=$?
[ $code = 6 ] || { echo "/dev/full: exit code $code: $(cat err)"; exit 1; }
grep -q 'standard output' err
# a closed stream: no message goes into a file that takes its place
small_project closed
"$tinamou" run closed --quiet >out
rm -rf closed/data/.lock
for stage in data report; do "$tinamou" $stage closed --force >out 2>&-; done
find closed -name '*lock' -size +0 >out
[ ! -s out ] || { echo "messages went into $(cat out)"; exit 1; }
code=0
"$tinamou" data closed --quiet >&- 2>err || code=$?
[ $code = 6 ] && grep -q 'standard output' err || { echo "closed output: exit code $code: $(cat err)"; exit 1; }

# a missing tool, as a PATH without it
small_project tool
code=0
PATH=/nonexistent "$tinamou" run tool --quiet >out 2>err || code=$?
[ $code = 8 ] || { echo "no tools: exit code $code: $(cat err)"; exit 1; }
grep -q 'gcc-arm-none-eabi' err || { echo "no package named: $(cat err)"; exit 1; }
"$tinamou" run tool --quiet >/dev/null

# two at once in one run
small_project both
"$tinamou" data both --quiet >/dev/null
"$tinamou" run both --quiet >/dev/null &
sleep 0.3
code=0
"$tinamou" run both --quiet >out 2>err || code=$?
[ $code = 6 ] && grep -q 'another process' err || { echo "two at once: exit code $code: $(cat err)"; exit 1; }
wait $!
echo "errors: all good"
