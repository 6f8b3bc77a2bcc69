# The images: analysis-operator, analysis-worker, lazycache; and archive, for tests. docs/images.md explains.
#   docker build --target operator .                                     compiles inside
#   docker build --target operator --build-arg BINARIES=scratch --build-context binaries=FOLDER .
#                                                                        takes binaries built on a Debian 12
# images/build.sh is what `make images` does. No image has a shell, a package manager or anything else that the program
# does not load: each is the program, the shared libraries it links to, certificates, and who they are from.
ARG BINARIES=builder

# --- compiling --------------------------------------------------------------------------------------------------------
FROM docker.io/library/rust:1-bookworm AS builder
# setup.sh is the one list of what compiling needs.
COPY setup.sh /source/
RUN apt-get update && /source/setup.sh && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --release --locked -p analysis-operator -p analysis-worker -p lazycache -p archive -p e2e && \
    cd target/release && install -t / analysis-operator analysis-worker lazycache archive bucket

# Either the stage above or, with BINARIES=scratch, the build context of this name.
FROM ${BINARIES} AS binaries

# --- what the programs load -------------------------------------------------------------------------------------------
FROM docker.io/library/debian:bookworm-slim AS debian
RUN apt-get update && apt-get install -y --no-install-recommends binutils ca-certificates && rm -rf /var/lib/apt/lists/*
COPY images/root.sh /

FROM debian AS debian-media
RUN apt-get update && \
    apt-get install -y --no-install-recommends \
        libavcodec59 libavformat59 libavutil57 libswscale6 \
        libopencv-core406 libopencv-imgproc406 libopencv-video406 libopencv-calib3d406 && \
    rm -rf /var/lib/apt/lists/*

FROM debian AS operator-root
COPY --from=binaries /analysis-operator /programs/
RUN /root.sh /programs /root

FROM debian-media AS worker-root
COPY --from=binaries /analysis-worker /programs/
RUN /root.sh /programs /root

FROM debian-media AS lazycache-root
COPY --from=binaries /lazycache /programs/
RUN /root.sh /programs /root

FROM debian AS archive-root
COPY --from=binaries /archive /bucket /programs/
RUN /root.sh /programs /root

# Debian's own Redis, for the tests of strategy Queue.
FROM debian AS redis-root
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/* && \
    install -D -t /programs /usr/bin/redis-server /usr/bin/redis-cli
RUN /root.sh /programs /root

# --- the images -------------------------------------------------------------------------------------------------------
FROM scratch AS base
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.source="https://github.com/camhd-science/video-analysis" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/usr/local/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 10001:10001

# Two layers each: Debian's files, which seldom change, and ours.
FROM base AS operator
LABEL org.opencontainers.image.title="analysis-operator" \
      org.opencontainers.image.description="Runs AnalysisJobs: turns a video archive into measurements on Kubernetes"
COPY --from=operator-root /root/debian/ /
COPY --from=operator-root /root/programs/ /usr/local/bin/
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/analysis-operator"]

FROM base AS worker
LABEL org.opencontainers.image.title="analysis-worker" \
      org.opencontainers.image.description="The pods of an AnalysisJob: plan, work, collect; or the whole job on one machine"
COPY --from=worker-root /root/debian/ /
COPY --from=worker-root /root/programs/ /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/analysis-worker"]

FROM base AS lazycache
LABEL org.opencontainers.image.title="lazycache" \
      org.opencontainers.image.description="Serves single frames of remote movies, which it reads by byte range"
COPY --from=lazycache-root /root/debian/ /
COPY --from=lazycache-root /root/programs/ /usr/local/bin/
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/lazycache"]

# Tests only, never pushed: the archive, and `bucket`, an S3 store.
FROM base AS archive
LABEL org.opencontainers.image.title="archive" \
      org.opencontainers.image.description="A synthetic video archive that can be made sick; for tests"
COPY --from=archive-root /root/debian/ /
COPY --from=archive-root /root/programs/ /usr/local/bin/
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/archive"]

# Tests only, never pushed.
FROM base AS redis
LABEL org.opencontainers.image.title="redis" \
      org.opencontainers.image.description="Debian's Redis; for tests"
COPY --from=redis-root /root/debian/ /
COPY --from=redis-root /root/programs/ /usr/local/bin/
EXPOSE 6379
CMD ["redis-server"]
