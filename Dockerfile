# The operator's image contains Node, the operator as one file, and the licences of the packages in that file. The
# operator's image has no shell, no package manager, and no file of cappol. With --target cappol, docker builds the
# image of cappol instead. The image of cappol cannot run the operator.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag ghcr.io/capabilitypolicy/operator:v0.1.0 .
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --tag ghcr.io/capabilitypolicy/cappol:v0.1.0 --target cappol .

ARG BUILD_IMAGE=docker.io/library/node:24-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG RUN_IMAGE=gcr.io/distroless/nodejs24-debian13@sha256:7cca079bad19303c78cd874a5da79832441985a216b767196507d69b8784a698

# hadolint ignore=DL3006
FROM --platform=${BUILDPLATFORM} ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
# .dockerignore lists what belongs to the programs.
COPY . .
RUN node config/release/bundle.ts operator && node config/release/bundle.ts cappol

# hadolint ignore=DL3006
FROM ${RUN_IMAGE} AS cappol
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="cappol" \
      org.opencontainers.image.description="Evaluates manifests and clusters by CapabilityPolicies and by the Pod Security Standards" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/capabilitypolicy/capabilitypolicy" \
      org.opencontainers.image.documentation="https://github.com/capabilitypolicy/capabilitypolicy/blob/main/docs/reference/cappol.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /app/dist/cappol /app/cappol
COPY LICENSE /app/
ENV NODE_ENV=production
# Users mount their files at this path, so that cappol can check the files.
WORKDIR /work
# The user ID 65532 belongs to the user nonroot in distroless images.
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "/app/cappol/main.mjs"]

# hadolint ignore=DL3006
FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="CapabilityPolicy" \
      org.opencontainers.image.description="Pod Security Standards plus your exceptions, compiled to what Kubernetes itself enforces" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/capabilitypolicy/capabilitypolicy" \
      org.opencontainers.image.documentation="https://github.com/capabilitypolicy/capabilitypolicy/tree/main/docs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --from=build /app/dist/operator operator
COPY LICENSE ./
ENV NODE_ENV=production
# The user ID 65532 belongs to the user nonroot in distroless images.
USER 65532:65532
# The operator's Deployment repeats this entrypoint, so that the V8 flags are next to the Deployment's memory limit.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "--heap-growing-percent=30", "--no-incremental-marking", "/app/operator/main.mjs"]
