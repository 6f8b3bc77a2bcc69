#!/usr/bin/env bash
# Runs every fuzz target for some seconds, two at a time, and says how many inputs each tried. Ends with 1 on a finding,
# which then lies in target/fuzz/findings.
#   cache/fuzz/run.sh [SECONDS] [TARGET…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-120}
shift || true
triple=$(rustc -vV | sed -n 's/^host: //p')
work=$PWD/target/fuzz
at_once=${FUZZ_AT_ONCE:-2}

if ! command -v cargo-fuzz >/dev/null; then
	echo "fuzz: cargo-fuzz is missing. Mend: cargo install --locked cargo-fuzz" >&2
	exit 69
fi

# The sanitizer is a feature of the compiler that its stable version only has when asked for by this.
export RUSTC_BOOTSTRAP=1
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(quicktime address listing packet luma)

# Where a target's crate is, and its seeds.
crate_of() { if [ "$1" = luma ]; then echo cache/prores/fuzz; else echo cache/fuzz; fi; }
seeds_of() { if [ "$1" = luma ]; then echo cache/prores/fuzz/corpus/luma; else echo "cache/fuzz/seeds/$1"; fi; }

for crate in $(for target in "${targets[@]}"; do crate_of "$target"; done | sort -u); do
	cargo fuzz build --fuzz-dir "$crate" --target-dir "$work" >&2
done

# Longer inputs only make for fewer.
longest_of() { case "$1" in address) echo 160 ;; listing) echo 400 ;; *) echo 4096 ;; esac; }

# One target: what it finds of interest is kept in target/fuzz/corpus for the next run.
run_one() {
	local target=$1 corpus=$work/corpus/$1 findings=$work/findings/$1 log=$work/$1.log
	mkdir -p "$corpus" "$findings"
	local options=(-max_total_time="$seconds" -print_final_stats=1 -rss_limit_mb=4096 -timeout=60 -max_len="$(longest_of "$target")")
	options+=(-artifact_prefix="$findings/")
	if "$work/$triple/release/$target" "${options[@]}" "$corpus" "$(seeds_of "$target")" >"$log" 2>&1; then
		awk -v target="$target" '/number_of_executed_units/ { printf "%-10s %12d executions, no finding\n", target, $2 }' "$log"
	else
		echo "$target: a finding, in $findings:" >&2
		tail -n 40 "$log" >&2
		return 1
	fi
}

failed=0
pids=()
for target in "${targets[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
		wait -n || failed=1
	done
	run_one "$target" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || failed=1
done
exit "$failed"
