# Apus in a container: built with Swift's runtime inside the program, run on a Debian without Swift, by a user without rights.
#
#     docker build -t apus .
#     docker run --rm -v "$PWD/model:/model:ro" -v "$PWD/data:/data:ro" -v "$PWD/runs:/runs" apus \
#         launch --workers 2 --model /model --train /data/train.tsv --output /runs/first
#
# cluster/kubernetes.yaml runs it over many machines.
FROM swift:6.3-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libopenblas-dev libzmq3-dev libssl-dev zlib1g-dev python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN scripts/package.sh /opt/apus

FROM debian:bookworm-slim
# For models by name; a model that is mounted needs neither.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/apus /opt/apus
RUN mkdir /runs && chown 10001:10001 /runs && ln -s /opt/apus/apus /usr/local/bin/apus
USER 10001:10001
WORKDIR /runs
ENTRYPOINT ["/opt/apus/apus"]
CMD ["--help"]
