# SPDX-License-Identifier: MIT
# The full image: both programs, and wireguard-go, wg, ip, ping and a shell to look around with, for hosts whose
# kernel has no WireGuard, and for people. Dockerfile.distroless makes the small one. See images/README.md.

# A Debian 13, from a registry or made by images/base.sh.
ARG BASE=debian:trixie-slim
# "scratch", or any image that holds no /var/lib/wgmesh.
ARG FINAL_BASE=scratch

# Builders that know no platforms leave this empty; "linux" is their own one.
FROM --platform=${BUILDPLATFORM:-linux} ${BASE} AS build
ARG TARGETARCH
WORKDIR /src
COPY images/arch.sh images/packages.sh images/
RUN images/packages.sh "${TARGETARCH}"
COPY . .
ARG WERROR
RUN images/build.sh "${TARGETARCH}"
ARG SOURCE_DATE_EPOCH=0
RUN images/rootfs.sh "${TARGETARCH}" && images/runtime.sh "${TARGETARCH}" && \
    images/sbom.sh wgmesh-full "${TARGETARCH}" && images/finish.sh

FROM scratch AS sbom
COPY --from=build /out/wgmesh.spdx.json /

FROM ${FINAL_BASE}
COPY --from=build /out/rootfs/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
EXPOSE 51820/udp
STOPSIGNAL SIGTERM
# No VOLUME: it would turn a forgotten mount into an anonymous volume, which looks persistent and is not.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/wgmesh-init", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/wgmesh-init", "--", "/usr/local/bin/wgmesh"]
CMD ["--help"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE
ARG DOCUMENTATION
ARG FINAL_BASE=scratch
LABEL org.opencontainers.image.title="wgmesh-full" \
    org.opencontainers.image.description="WireGuard mesh node that keeps its identity, with wireguard-go and a shell" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.documentation="${DOCUMENTATION}" \
    org.opencontainers.image.base.name="${FINAL_BASE}"
