# SPDX-License-Identifier: MIT OR Apache-2.0
# The front door; `make help` lists what there is.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help demo test test-firmware asan tsan size bench bench-check check-long fuzz mutants header format lint setup setup-firmware setup-bench setup-fuzz setup-mutants clean

export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)
export CTEST_PARALLEL_LEVEL ?= $(CMAKE_BUILD_PARALLEL_LEVEL)

firmware_targets := $(shell sed -n 's/^set(evagg_targets \(.*\))/\1/p' cmake/targets.cmake)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

demo: setup ## watch this machine for ten seconds (without root: replay a capture)
	@scripts/demo.sh

test: setup ## run every test: Rust, header drift, C on this machine, firmware in the emulator
	cargo test --locked
	cargo test --locked --manifest-path fuzz/Cargo.toml --target-dir target
	cargo build --lib --locked --features header
	cmake --workflow --preset release
	@$(MAKE) test-firmware

test-firmware: setup-firmware ## run the tests for five microcontrollers in the emulator, optimised and debug
	@$(MAKE) -j$(CMAKE_BUILD_PARALLEL_LEVEL) --output-sync $(foreach target,$(firmware_targets),workflow-$(target) workflow-$(target)-debug)

# Side by side, and each of them one thing after the other: half the time of a workflow goes to Rust's core, which its
# compiler reads with one processor. The builds must not look for jobs of this make.
workflow-%:
	@env MAKEFLAGS=--no-print-directory CMAKE_BUILD_PARALLEL_LEVEL=1 CTEST_PARALLEL_LEVEL=1 cmake --workflow --preset $*

size: setup-firmware ## measure sizes and instructions on the microcontrollers, and check them against the budgets
	@scripts/size.py

bench: setup-bench ## measure the library beside its peers, some ten minutes; docs/performance.md says what came out
	@scripts/bench.py

bench-check: setup-bench ## count the instructions of each operation, compare with the committed counts, try the benchmarks
	@scripts/bench-check.py
	cargo test --locked --manifest-path benches/Cargo.toml --target-dir target
	cargo bench --locked --manifest-path benches/Cargo.toml --target-dir target --bench tables -- --test --quiet

check-long: setup-firmware setup-bench setup-fuzz ## attack each promise for longer, some quarter of an hour; docs/reliability.md has the table
	@scripts/check-long.sh

fuzz: setup-fuzz ## run each fuzz target for FUZZ_SECONDS seconds (60), from the committed corpora
	@scripts/fuzz.sh

mutants: setup-mutants ## change the library in a thousand places and see that tests fail, some three hours; MUTANTS_ARGS narrows it
	@scripts/mutants.py

asan: setup ## run the C tests with Rust and C under AddressSanitizer, and C under UndefinedBehaviorSanitizer
	cmake --workflow --preset asan

tsan: setup ## run the tests with threads with Rust and C under ThreadSanitizer
	cmake --workflow --preset tsan

header: ## write include/evagg.h anew from src/ffi
	EVAGG_WRITE_HEADER=1 cargo build --lib --locked --features header

format: ## format the Rust and C code
	cargo fmt
	cargo fmt --manifest-path benches/Cargo.toml
	cargo fmt --manifest-path fuzz/Cargo.toml
	@scripts/c-sources.sh | xargs clang-format -i

lint: ## check formatting, clippy, header drift, version and licence tags
	@scripts/lint.sh

setup: ## install what is missing for this machine
	@scripts/setup.sh

setup-firmware: setup ## install what is missing for the microcontrollers as well
	@scripts/setup-firmware.sh

setup-bench: setup ## install what is missing for the benchmarks as well
	@scripts/setup-bench.sh

setup-fuzz: setup ## install what is missing for the fuzz targets as well
	@scripts/setup-fuzz.sh

setup-mutants: setup ## install what is missing for the mutation test as well
	@scripts/setup-mutants.sh

clean: ## remove all that was built
	rm -rf build target
