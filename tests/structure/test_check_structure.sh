#!/bin/sh
# Every rule of check_structure.sh finds its breach, and a tree without one passes.
set -eu
check=$(cd "$(dirname "$0")" && pwd)/check_structure.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fresh() {
    rm -rf "$tree"/*
    mkdir -p "$tree/src/base" "$tree/src/data" "$tree/src/cli" "$tree/runtime" "$tree/tests" "$tree/bench" "$tree/scripts" "$tree/examples"
    printf 'tin_module(base LIBRARIES m)\ntin_module(data DEPENDS base)\n' >"$tree/CMakeLists.txt"
    printf '| `base` | nothing | x |\n| `data` | base | x |\n| `cli` | base, data | x |\n' >"$tree/ARCHITECTURE.md"
    echo '/* a */' >"$tree/src/base/one.h"
    echo '/* Private to src/data: b */' >"$tree/src/data/two.h"
    printf '#include "base/one.h"\n#include "data/two.h"\n' >"$tree/src/data/two.c"
    printf '#include <stdint.h>\n' >"$tree/runtime/three.h"
}

finds() {
    if output=$(sh "$check" "$tree"); then
        echo "not found: $1"
        exit 1
    fi
    case $output in
    *"$1"*) ;;
    *)
        echo "wanted '$1', got: $output"
        exit 1
        ;;
    esac
}

fresh
sh "$check" "$tree"
echo '#include "data/data.h"' >"$tree/src/base/bad.c"
finds 'src/base may not include "data/data.h"'
fresh
echo '#include "data/two.h"' >"$tree/src/cli/bad.c"
finds '"data/two.h" is private to src/data'
fresh
sed -i 's/| base |/| base, model |/' "$tree/ARCHITECTURE.md"
finds 'no table row'
fresh
echo '#include <stdio.h>' >"$tree/runtime/bad.h"
finds 'does not belong into the runtime'
fresh
echo >"$tree/src/cli/two.c"
finds 'two.c: there are several files'
fresh
yes | head -801 >"$tree/src/cli/long.c"
finds '801 lines'
echo "all rules find their breach"
