# What ./test and .ci/run share: running a step against its budget, and counting what passed.
# Sourced from the top of the tree, under set -euo pipefail.
# shellcheck shell=bash

passed=0
failed=0
skipped=0
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

say() { printf '%s\n' "$*"; }

# count PASSED FAILED SKIPPED: adds to the closing line.
count() {
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

# skip WHAT WHY: one thing that could not be done here.
skip() {
  say "skipped: $1: $2"
  count 0 0 1
}

closing_line() {
  say "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

# step NAME BUDGET_SECONDS COMMAND...: runs it in this shell and prints its time against its budget.
# A command that fails counts as one failed; what it counts itself comes on top.
step() {
  local name=$1 budget=$2 began=$SECONDS verdict=ok spent
  shift 2
  say "=== $name"
  "$@" || { verdict=FAILED; count 0 1 0; }
  spent=$((SECONDS - began))
  [ "$budget" -eq 0 ] || [ "$spent" -le "$budget" ] || verdict="$verdict, over its budget"
  if [ "$budget" -eq 0 ]; then
    say "--- $name: $verdict, $spent s"
  else
    say "--- $name: $verdict, $spent s of $budget s"
  fi
}

# check NAME COMMAND...: a check that is one test of its own: it passes or fails.
check() {
  local name=$1
  shift
  if "$@"; then count 1 0 0; else say "FAILED: $name"; count 0 1 0; fi
}

# binaries PRESET PATTERN: the test binaries that the build knows, one a line.
binaries() {
  ninja -C "build/$1" -t targets all 2>/dev/null | grep -oE "^hale_[a-z0-9_]+_test:" | tr -d : | sort -u |
    grep -E "$2" || true
}

# run_gtest PRESET BINARY [FILTER]: runs one binary and counts its tests; a crash is one failed.
run_gtest() {
  local preset=$1 binary=$2 filter=${3:-*} json counts began=$EPOCHREALTIME status=0
  json=$(mktemp -p "$results" gtest.XXXXXX)
  timeout -k 10 900 "build/$preset/$binary" --gtest_brief=1 --gtest_filter="$filter" \
    --gtest_output="json:$json" </dev/null >"$results/log" 2>&1 || status=$?
  counts=$(tool/count_gtest "$json") || counts="0 0 0"
  # shellcheck disable=SC2086
  set -- $counts
  if [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then
    say "FAILED: $binary ended with $status"
    counts="$1 1 $3"
  fi
  if [ "$counts" = "0 0 0" ]; then
    say "FAILED: $binary ran no test for '$filter'"
    counts="0 1 0"
  fi
  [ "$status" -eq 0 ] || tail -n 400 "$results/log"
  grep -A2 -E '^\[  SKIPPED \]|: Skipped$' "$results/log" | grep -vE '^--$' || true
  # shellcheck disable=SC2086
  count $counts
  say "$binary: $(awk -v c="$counts" -v a="$began" -v b="$EPOCHREALTIME" \
    'BEGIN {split(c, n, " "); printf "%d passed, %d failed, %d skipped in %.1f s", n[1], n[2], n[3], b - a}')"
}

# run_script NAME COMMAND...: runs a script whose last line is "N passed, N failed, N skipped".
run_script() {
  local name=$1 status=0 last
  shift
  say "$name ..."
  timeout -k 10 1800 "$@" </dev/null >"$results/log" 2>&1 || status=$?
  cat "$results/log"
  last=$(tail -n 1 "$results/log")
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
    [ "$status" -eq 0 ] || [ "${BASH_REMATCH[2]}" -gt 0 ] || { say "FAILED: $name ended with $status"; count 0 1 0; }
  else
    say "FAILED: $name ended with $status and without a closing line"
    count 0 1 0
  fi
}

# The tiers. Each takes the preset whose binaries it runs.
unit_tier() {
  local binary
  for binary in $(binaries "$1" . | grep -vE '^hale_(conformance|integration)_test$'); do
    run_gtest "$1" "$binary"
  done
}

conformance_tier() {
  [ -n "$(binaries "$1" '^hale_conformance_test$')" ] || { skip "conformance" "there is no suite yet"; return 0; }
  run_gtest "$1" hale_conformance_test
}

# integration_tier PRESET [WORD]: all, or the suites whose name holds the word (a server's name).
integration_tier() {
  [ -n "$(binaries "$1" '^hale_integration_test$')" ] || { skip "integration" "there is no suite yet"; return 0; }
  run_gtest "$1" hale_integration_test "${2:+*${2^}*}"
}

# scenario_tier [NAME]: the scripts under tests/scenario, each in its own folder with a `run`.
scenario_tier() {
  local script name
  for script in tests/scenario/*/run; do
    [ -x "$script" ] || continue
    name=$(basename "$(dirname "$script")")
    if [ -z "${1-}" ] || [ "$1" = "$name" ]; then
      run_script "scenario $name" "$script"
    fi
  done
}

# What has threads: each layer's stress suites, and all of net and base. Of what is built: .ci/run
# leaves out the layers without a stress suite.
tsan_tier() {
  local binary
  for binary in $(binaries "$1" . | grep -vE '^hale_(conformance|integration)_test$'); do
    [ -x "build/$1/$binary" ] || continue
    case $binary in
      hale_net_test | hale_base_test) run_gtest "$1" "$binary" ;;
      *)
        if "build/$1/$binary" --gtest_list_tests --gtest_filter='*Stress*' | grep -q '^  '; then
          run_gtest "$1" "$binary" '*Stress*'
        fi ;;
    esac
  done
}

house_tier() {
  check "format" tool/format --check
  check "layers" tool/check_layers
  check "style" tool/check_style
  check "quotes" tool/check_quotes
}

# targets PRESET: what the unit and conformance tiers need built.
unit_targets() { binaries "$1" . | grep -vE '^hale_integration_test$'; }

configure() { [ -f "build/$1/build.ninja" ] || cmake --preset "$1" >/dev/null; }

# run_fuzzer PRESET TARGET ARGUMENT...: builds and runs one fuzz target.
run_fuzzer() {
  local preset=$1 target=$2
  shift 2
  if tool/build "$preset" "$target" &&
    "build/$preset/$target" -artifact_prefix="build/$preset/$target-" "$@" >"$results/log" 2>&1; then
    count 1 0 0
  else
    tail -n 60 "$results/log" 2>/dev/null || true
    say "FAILED: $target"
    count 0 1 0
    return 1
  fi
}

# corpus_tier PRESET: each fuzz target goes through its corpus once, so that no model falls behind
# what it is a model of.
corpus_tier() {
  local source target corpus
  for source in $(git ls-files '*_fuzz.cc'); do
    target=$(basename "$source" .cc)
    corpus=tests/corpus/${target%_fuzz}
    [ ! -d "$corpus" ] || run_fuzzer "$1" "$target" -runs=0 -timeout=60 "$corpus" || true
  done
}

# fuzz_tier SECONDS: each fuzz target for so long, from its corpus.
fuzz_tier() {
  local source target corpus
  configure fuzz
  for source in $(git ls-files '*_fuzz.cc'); do
    target=$(basename "$source" .cc)
    corpus=tests/corpus/${target%_fuzz}
    mkdir -p "build/fuzz/corpus/$target"
    [ -d "$corpus" ] || corpus=build/fuzz/corpus/$target
    if run_fuzzer fuzz "$target" -max_total_time="$1" -timeout=10 -rss_limit_mb=1024 \
      "build/fuzz/corpus/$target" "$corpus"; then
      say "$target: $(grep -oE 'Done [0-9]+ runs.*' "$results/log" | tail -n 1)"
    fi
  done
}
