#!/bin/sh
# test_cli_mlflow.sh TINAMOU FOLDER: a run goes to a real MLflow server on loopback, twice, and to one that takes no files. The server
# is installed from PyPI by pinned hashes into a virtual environment in FOLDER, once. Exit code 77, with the reason: there is none.
set -eu
tinamou=$1 folder=$2
requirements=$(cd "$(dirname "$0")" && pwd)/mlflow_requirements.txt
mkdir -p "$folder"
cd "$folder"
rm -rf p server files
server=

skip() {
    echo "skipped: $1"
    exit 77
}
fail() {
    echo "$1: $(cat out err 2>/dev/null) $(tail -5 server.log 2>/dev/null)"
    exit 1
}

# installs what is pinned, unless it is there
[ "$(python3 -c 'import sys, platform; print("%d.%d" % sys.version_info[:2], platform.machine())' 2>/dev/null)" = "3.11 x86_64" ] ||
    skip 'the pinned packages are for CPython 3.11 on x86-64'
python3 -c 'import ensurepip' 2>/dev/null || skip 'python3-venv is not installed'
if ! cmp -s "$requirements" venv/installed.txt; then
    rm -rf venv
    python3 -m venv venv || skip 'python3 -m venv does not work here'
    if ! venv/bin/pip install -q --disable-pip-version-check --retries 2 --timeout 30 --require-hashes -r "$requirements" >pip.log 2>&1; then
        grep -q 'DO NOT MATCH THE HASHES' pip.log && { cat pip.log; exit 1; }
        rm -rf venv
        skip "PyPI cannot be reached: $(tail -1 pip.log)"
    fi
    cp "$requirements" venv/installed.txt
fi

stop_server() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
    server=
}
trap stop_server EXIT
# start_server OPTIONS...: sets $url
start_server() {
    stop_server
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    url=http://127.0.0.1:$port
    MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true venv/bin/mlflow server --host 127.0.0.1 --port "$port" --workers 1 \
        --backend-store-uri "sqlite:///$PWD/server/store.db" "$@" >server.log 2>&1 &
    server=$!
    for _ in $(seq 240); do
        kill -0 "$server" 2>/dev/null || fail 'the server ended'
        python3 - "$url/health" 2>/dev/null <<'PY' && return
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=5)
PY
        sleep 0.5
    done
    fail 'the server does not answer'
}

mkdir -p p server
cat >p/tinamou.yaml <<'YAML'
project: A gesture, äöü & more
seed: 5
data: {simulate: {subjects: 5, minutes: 0.5}}
model: {layers: [{op: gru, units: 8}, {op: dense}]}
train: {steps: 20, batch: 8, chunk: 200, evaluate_every: 10}
quantize: {steps: 0}
evaluate: {bootstrap: 20}
YAML
"$tinamou" evaluate p -q --json >out 2>err || fail 'evaluate'
"$tinamou" runs show "$("$tinamou" runs p | sed -n '2s/ .*//p')" p --json >shown
id=$(sed -n 's/^  "id": "\(.*\)",/\1/p' shown)
"$tinamou" runs tag "$id" base p

start_server --artifacts-destination "$PWD/files"
"$tinamou" runs export base p --mlflow "$url/" >out 2>err || fail 'export'
grep -q "^run $id is run [0-9a-f]* of experiment [0-9]* at http://127.0.0.1" out || fail 'export says'
"$tinamou" runs export base p --mlflow "$url" --json >out 2>err || fail 'export again'
grep -q '"again": true' out || fail 'the run is there twice'

# what the server has is what the store has
python3 - "$url" p "$id" <<'PY' || fail 'the server has something else'
import hashlib, json, sys, urllib.parse, urllib.request
url, project, run_id = sys.argv[1:]
def ask(path, body=None):
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=30).read()
shown = json.load(open("shown"))
name = urllib.parse.quote(shown["project"])
experiment = json.loads(ask("/api/2.0/mlflow/experiments/get-by-name?experiment_name=" + name))["experiment"]
assert experiment["name"] == "A gesture, äöü & more", experiment
runs = json.loads(ask("/api/2.0/mlflow/runs/search", {"experiment_ids": [experiment["experiment_id"]]}))["runs"]
assert len(runs) == 1, runs
info, data = runs[0]["info"], runs[0]["data"]
assert info["status"] == "FINISHED" and info["run_name"] == run_id, info
tags = {t["key"]: t["value"] for t in data["tags"]}
assert tags["tinamou.run"] == run_id and tags["tinamou.tags"] == "base", tags
for key in ("version", "config_hash", "data_hash"):
    assert tags["tinamou." + key] == shown[key], tags
assert {p["key"]: p["value"] for p in data["params"]} == {k: v for k, v in shown["settings"].items() if v}
metrics = {m["key"]: m["value"] for m in data["metrics"]}
for stage in ("train", "quantize", "evaluate"):
    for key, value in shown[stage].items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert abs(metrics[f"{stage}/{key}"] - value) < 1e-9, (stage, key)
folder = info["artifact_uri"].split(":", 1)[1].strip("/")
for file in shown["files"]:
    sent = ask(f"/api/2.0/mlflow-artifacts/artifacts/{folder}/{file['name']}")
    assert hashlib.sha256(sent).hexdigest() == file["sha256"], file
PY

start_server --no-serve-artifacts --default-artifact-root "$PWD/elsewhere"
sed -i 's/^project:.*/project: other/' p/tinamou.yaml
"$tinamou" evaluate p -q >out 2>err || fail 'evaluate'
"$tinamou" runs export "$("$tinamou" runs p | sed -n '2s/ .*//p')" p --mlflow "$url" >out 2>err || fail 'export without files'
grep -q 'no files: the server keeps files at .*elsewhere.*--serve-artifacts' out || fail 'no word about the files'
echo "sent to MLflow $(venv/bin/python -c 'import mlflow; print(mlflow.__version__)')"
