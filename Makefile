# What a person types. Every target makes the environment first, once.
#
#   make book                  the book, with the shipped runs       (about 9 minutes, install included; then six)
#   make test                  lint, types, tests, book from nothing (about 20 minutes, install included; then 17)
#   make reproduce SCALE=laptop  train everything anew, then build the book (hours)
#   make workshop              the book for teachers, for students without solutions, and notebooks
#   make env                   only the environment, in .venv
#   make clean                 remove what building made; data, runs and environment stay

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help env book workshop test lint reproduce benchmark clean

SCALE ?= laptop
BIN := .venv/bin

help:
	@sed -n 's/^#   //p' Makefile

env: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@.ci/make-environment

book: env
	@$(BIN)/python book/build.py --scale laptop

workshop: env
	@$(BIN)/python book/workshop.py

reproduce: env
	@$(BIN)/python book/build.py --scale $(SCALE) --fresh

lint: env
	@echo "== lint and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache

test: lint
	@echo "== unit tests"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not book"
	@echo "== the whole book from nothing, at scale smoke"
	@$(BIN)/python -m pytest -m book

benchmark: env
	@$(BIN)/python tests/benchmarks/simulate_throughput.py

clean:
	rm -rf _book _workshop _stage build .pytest_cache .mypy_cache .ruff_cache
