# SPDX-License-Identifier: MIT OR Apache-2.0
# The front door; `make help` lists what there is.

.DEFAULT_GOAL := help
.PHONY: help demo test asan header format lint setup clean

export PATH := $(PATH):$(HOME)/.cargo/bin
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)
export CTEST_PARALLEL_LEVEL ?= $(CMAKE_BUILD_PARALLEL_LEVEL)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: setup ## watch this machine for ten seconds (without root: replay a capture)
	@scripts/demo.sh

test: setup ## run every test: Rust, header drift, C
	cargo test --locked
	cargo build --lib --locked --features header
	cmake --workflow --preset release

asan: setup ## run the C tests with the C code under sanitizers and the Rust code in its dev profile
	cmake --workflow --preset asan

header: ## write include/evagg.h anew from src/ffi
	EVAGG_WRITE_HEADER=1 cargo build --lib --locked --features header

format: ## format the Rust and C code
	cargo fmt
	@scripts/c-sources.sh | xargs clang-format -i

lint: ## check formatting, clippy, version and licence tags
	@scripts/lint.sh

setup: ## install what is missing
	@scripts/setup.sh

clean: ## remove all that was built
	rm -rf build target
