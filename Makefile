# The door for people: every target sets up what it needs and says what it does.
SHELL := /bin/bash
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vigie
# Builds are kept outside the clone, so that a second clone does not start from nothing.
export CARGO_TARGET_DIR ?= $(CACHE)/target
export VIGIE_CACHE := $(CACHE)

.DEFAULT_GOAL := help
.PHONY: help setup build run test lint fmt bench fuzz shots clean

help: ## Show this list
	@echo "Vigie: one binary for any camera"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what building needs (asks for sudo only when not root)
	@scripts/setup build

build: ## Build target/release/vigie, web interface inside
	@scripts/setup build
	@scripts/build release

run: build ## Build, then start Vigie with a demo camera
	@exec target/release/vigie serve --demo $(ARGS)

test: ## Install what is missing and check everything
	@scripts/setup test
	@scripts/test

lint: ## Format and clippy, as `make test` does
	@scripts/setup build
	@scripts/test lint

fmt: ## Format the code
	@cargo fmt --all
	@cd web && npm run --silent format

bench: ## Measure what docs/benchmarks.md says (takes about 15 minutes)
	@scripts/setup test
	@scripts/bench

fuzz: ## Fuzz every parser, a minute each (FUZZ_SECONDS=n to change)
	@scripts/setup test
	@scripts/fuzz

shots: ## Take a picture of every screen into docs/screens
	@scripts/setup test
	@scripts/build dev
	@cd web && npm run --silent shots

clean: ## Remove what was built, here and in the cache
	@rm -rf target web/dist web/node_modules "$(CARGO_TARGET_DIR)"
