# The only commands a person needs. Each sets up what it lacks.

SWIFT ?= swift
RECBLR = .build/release/recblr
BENCH = .build/release/recblr-bench

# SwiftPM gives packages their traits in the order of a set, another one each time, and compiles Hummingbird and SwiftProtobuf anew where it has
# changed. Builds alone have one order: tests see sets as they come.
BUILD = SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) build

.PHONY: help setup build tested docs lib check-c wheel test-python package package-tests demo test test-cuda check torture torture-short check-serve check-page check-openapi check-export faults mutants lint coverage sanitize sanitize-threads format bench bench-serve bench-peers compare clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## install the system libraries that are missing
	@scripts/setup.sh

build: setup ## the program, optimised
	$(BUILD) -c release --product recblr

# Optimised, the tests take half the time. `-enable-testing` shows them what is internal and costs a twentieth of a program's speed, so what
# they test is built beside what `make build` makes.
TESTED = -c release -Xswiftc -enable-testing --scratch-path .build/tested

tested:
	@echo $(TESTED)

docs: setup ## the documentation of the library, under .build/docs
	@scripts/docs.sh $(TESTED)

package: setup ## a folder that runs on Linux machines without Swift, packed, under .build/package
	@scripts/package.sh

lib: setup ## the C interface: .build/lib/libRecBLR.so and its headers
	@scripts/setup.sh --lib
	@scripts/lib.sh

check-c: lib ## the C interface: C programs under sanitizers and valgrind, its symbols and declarations
	@scripts/check-c.sh

wheel: lib ## the Python package with the library and the program in it, under .build/wheel
	@scripts/wheel.sh

test-python: lib ## the wheel in fresh virtual environments of the oldest and the newest Python that is here: two minutes
	@scripts/check-python.sh

package-tests: setup ## the GPU tests for a machine without Swift, packed, under .build/package
	@scripts/package-tests.sh

demo: build ## MovieLens-100K: get, prepare, train, evaluate, recommend
	@[ -s demo/ml-100k/ml-100k.inter ] || scripts/setup.sh --pip || true
	@scripts/demo.sh $(RECBLR)

test: setup ## all tests
	@scripts/get-nvrtc.sh
	@scripts/get-cuda-headers.sh
	@scripts/get-pygorse.sh
	$(BUILD) $(TESTED) --build-tests
	$(SWIFT) test $(TESTED) --disable-testable-imports --skip-build
	@scripts/faults.sh .build/tested/release/recblr

test-cuda: setup ## tests of the GPU backend on this machine's GPU
	@scripts/test-cuda.sh

check: lint test docs coverage sanitize check-serve check-page check-openapi check-export torture-short ## format, all tests, documentation, coverage, sanitizers over the C kernels, the service, two minutes of torture

torture-short: build
	@scripts/torture.sh $(RECBLR)

CASES ?= 3000
torture: build ## damage, kills, limits and terminals, another seed each time (CASES=3000)
	@scripts/torture.sh $(RECBLR) --seed clock --cases $(CASES)

ROUNDS ?= 100
SOAK ?= 30
faults: build ## recblr serve: kills, lost power, bad disks, damage, clocks, rude clients, a long load: an hour (ROUNDS=100, SOAK=30 minutes)
	$(BUILD) -c release --product recblr-bench
	@scripts/faults.sh $(RECBLR) --seed clock --rounds $(ROUNDS) --soak $(SOAK) --bench $(BENCH)

check-serve: build ## the process around recblr serve: settings, keys, TLS, slow clients, metrics, signals: a minute
	@scripts/check-serve.sh $(RECBLR)

check-page: build ## the page of recblr serve in headless Chromium, where there is one: half a minute
	@scripts/check-page.sh $(RECBLR)

check-openapi: build ## recblr serve against its OpenAPI document, with schemathesis from PyPI: half a minute
	@scripts/check-openapi.sh $(RECBLR)

check-export: build ## what recblr export writes, in onnxruntime, FAISS, usearch and PyTorch: a minute
	@scripts/check-export.sh $(RECBLR)

SAMPLE ?= 100
mutants: setup ## breaks the product in a hundred small ways and counts how many the tests notice: hours (SAMPLE=100)
	@scripts/mutate.sh --sample $(SAMPLE)

lint: ## the format of every Swift file
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Examples Benchmarks

coverage: setup ## the tests again, in a debug build that counts: lines covered, a target a line
	@scripts/coverage.sh

sanitize: setup ## the C kernels under address and undefined-behaviour sanitizers; the stand-in for CUDA by itself
	@scripts/sanitize.sh
	@scripts/emulator.sh --test

sanitize-threads: setup ## the tests of the service under thread sanitizer: ten minutes
	@scripts/sanitize-threads.sh

format: ## rewrite the sources in the project's style
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Examples Benchmarks

bench: setup ## speed beside this machine's limits, forms of the scan, cost against length, ranking: three minutes
	$(BUILD) -c release --product recblr-bench
	$(BENCH) --output Benchmarks/results/operations.json
	$(BENCH) scans --output Benchmarks/results/scans.json
	$(BENCH) lengths --output Benchmarks/results/lengths.json
	$(BENCH) ranking --output Benchmarks/results/ranking.json

MINUTES ?= 0.33
FOR_SERVE ?=
bench-serve: build ## ranking beside sgemm, then the service under load beside the figures it should reach (MINUTES=10 a load, FOR_SERVE=--users=1000000)
	$(BUILD) -c release --product recblr-bench
	$(BENCH) ranking
	$(BENCH) serve --program $(RECBLR) --seconds $$(awk "BEGIN { print 60 * $(MINUTES) }") $(FOR_SERVE) --output Benchmarks/results/serve.json

LOG ?=
bench-peers: build ## the same model in PyTorch, beside ours (LOG=one gzipped sequence a line)
	@scripts/bench-peers.sh $(RECBLR) "$(LOG)"

compare: MINUTES = 30
MODELS ?= GRU4Rec,SASRec,BERT4Rec,NARM,Caser,FPMC
compare: build ## models of RecBole on the same split, ranked by its own code, beside ours: hours (LOG=, MODELS=SASRec, MINUTES=30 a model)
	@scripts/compare.sh $(RECBLR) "$(LOG)" "$(MODELS)" $(MINUTES)

clean: ## forget all builds
	rm -rf .build
