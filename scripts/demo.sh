#!/bin/sh
# demo.sh [--data DIR] [--out DIR]: installs what is missing, builds, goes the whole way once, and says where the results are.
# Without --data: a simulated wrist sensor. --data: HAPT, SPSW, a folder of CSV files, or a folder that holds hapt/ and spsw/.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
data= out=demo

usage() {
    echo "usage: demo.sh [--data DIR] [--out DIR]" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --data | --out)
        [ $# -gt 1 ] || usage
        [ "$1" = --data ] && data=$2 || out=$2
        shift 2
        ;;
    *) usage ;;
    esac
done
[ -z "$data" ] || [ -d "$data" ] || { echo "demo: $data is no folder" >&2; exit 2; }

sh "$root/scripts/setup.sh"
cmake -S "$root" -B "$root/build/release" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTINAMOU_TESTS=OFF >/dev/null
cmake --build "$root/build/release" --target tinamou
tinamou=$root/build/release/tinamou

# one NAME [--data DIR]: a project below $out, from nothing to verified code
one() {
    project=$out/$1
    shift
    [ -e "$project/tinamou.yaml" ] || "$tinamou" init --quiet "$project" "$@"
    started=$(date +%s)
    "$tinamou" run "$project"
    echo "main job: $(($(date +%s) - started)) seconds"
}

if [ -z "$data" ]; then
    one gestures
elif [ -d "$data/hapt" ] && [ -d "$data/spsw" ]; then
    one hapt --data "$data/hapt"
    one spsw --data "$data/spsw"
else
    one recordings --data "$data"
fi
