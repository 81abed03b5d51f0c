# docker build -t lensy . && docker run --rm -v "$PWD/out:/lensy/_book" lensy
# The environment and the book, on Linux without a GPU. Not built by the tests.
FROM python:3.11-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /lensy
COPY requirements.lock pyproject.toml README.md Makefile ./
COPY .ci .ci
COPY lensy lensy
COPY data_sim data_sim
RUN make env
COPY . .
CMD ["make", "book"]
