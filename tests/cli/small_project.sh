# Sourced by the tests of the command line: a project that goes the whole way in a few seconds.
# small_project FOLDER
small_project() {
    mkdir -p "$1"
    cat >"$1/tinamou.yaml" <<'YAML'
project: small
seed: 5
data: {simulate: {subjects: 5, minutes: 0.8}}
model:
  layers:
    - {op: conv1d, units: 8, kernel: 5, stride: 2}
    - {op: batch_norm}
    - {op: relu}
    - {op: gru, units: 8}
    - {op: dense}
train: {steps: 400, batch: 8, chunk: 200, evaluate_every: 50, checkpoint_every: 20}
compress:
  - {method: prune, keep: 0.8, steps: 40}
  - {method: sparse, keep: 0.6, steps: 40}
  - {method: share, steps: 40}
quantize: {steps: 80}
evaluate: {bootstrap: 50}
deploy: {verify_frames: 1500}
YAML
}

# results FOLDER: hash and name of every file that a project's runs made, but not of what only serves the work: the store, its
# locks, checkpoints, the working folder of the measurement and half-written datasets.
results() {
    (cd "$1" && find data runs -type f ! -path 'runs/runs.sqlite*' ! -name lock ! -name .lock ! -path '*/build-m4/*' ! -name '*checkpoint*' ! -path 'data/*.tind.*' |
        LC_ALL=C sort | xargs sha256sum)
}

# same_results A B: complains and fails when they differ
same_results() {
    results "$1" >"$1.results"
    results "$2" >"$2.results"
    [ -s "$1.results" ] || { echo "$1 has no results"; return 1; }
    diff "$1.results" "$2.results"
}
