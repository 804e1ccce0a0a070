#!/bin/sh
# test.sh: installs what is missing, builds with warnings as errors, runs all tests, and the unit tests again under the address
# and undefined-behaviour sanitizers, and those of what uses threads under the thread sanitizer. Needs no terminal; its exit code
# says whether all passed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
jobs=$(nproc)

sh "$root/scripts/setup.sh" test
cd "$root"
cmake --preset release -DTINAMOU_TESTS=ON
cmake --build --preset release
ctest --preset release -j "$jobs"

cmake --preset asan -DTINAMOU_TESTS=ON
cmake --build --preset asan
# the command line's tests run whole projects, which takes too long with sanitizers
ctest --preset asan -j "$jobs" -LE whole

threaded='test_gradient test_sampler test_train'
cmake --preset tsan -DTINAMOU_TESTS=ON
# shellcheck disable=SC2086
cmake --build --preset tsan --target $threaded
ctest --preset tsan -j "$jobs" -R "train/($(echo "$threaded" | tr ' ' '|'))\$"
